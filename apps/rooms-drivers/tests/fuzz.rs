//! Any bytes at any driver in any state: no panic, no unbounded memory, every ticket answered. The
//! corpora of the fuzz targets are played too.

use rooms_drivers::{drivers, fuzz};

/// The folder of the fuzz target of this driver.
fn target(name: &str) -> String {
    format!("rooms_{}", name.replace([':', '-'], "_"))
}

#[test]
fn any_bytes_at_any_driver_in_any_state_do_no_harm() {
    for entry in drivers() {
        arbtest::arbtest(|u| {
            let bytes: Vec<u8> = u.arbitrary()?;
            fuzz(&entry.name, &bytes);
            Ok(())
        })
        .size_max(4000)
        .budget_ms(100);
    }
}

#[test]
fn a_flood_of_noise_is_not_kept() {
    for entry in drivers() {
        for byte in [b'x', b'P', b'\n', 0x81, 0xA0, 0xFF] {
            // Open, then 255 bytes at a time.
            let mut steps = vec![0];
            for _ in 0..150 {
                steps.extend([5, 255]);
                steps.extend([byte; 255]);
            }
            fuzz(&entry.name, &steps);
        }
    }
}

#[test]
fn the_corpora_of_the_fuzz_targets_are_played() {
    for entry in drivers() {
        let name = target(&entry.name);
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz");
        let inputs = std::fs::read_dir(format!("{root}/corpus/{name}"));
        let inputs: Vec<_> = inputs.unwrap_or_else(|_| panic!("{name} has no corpus")).collect();
        assert!(inputs.len() >= 3, "{name} has too few inputs");
        for input in inputs {
            let path = input.expect("an input").path();
            fuzz(&entry.name, &std::fs::read(path).expect("an input is a file"));
        }
        let source = std::fs::read_to_string(format!("{root}/fuzz_targets/{name}.rs"));
        assert!(source.expect("each has a target").contains(&format!("{:?}", entry.name)));
    }
}
