//! Room files for as many rooms as wanted, of the two sorts of the example.

use std::path::Path;

/// The room whose projector is played here; its name is the last one.
pub(crate) const OURS: &str = "zz-measured";

/// Writes rooms with six devices each: half behind raw bridges, half behind RFC 2217.
pub(crate) fn write(folder: &Path, rooms: usize) -> std::io::Result<()> {
    for number in 0..rooms {
        let text = if number % 2 == 0 { raw(number) } else { negotiated(number) };
        std::fs::write(folder.join(format!("room-{number:04}.toml")), text)?;
    }
    Ok(())
}

/// Writes the room with our projector.
pub(crate) fn write_ours(folder: &Path) -> std::io::Result<()> {
    let text = format!(
        "[room]\nid = \"{OURS}\"\ncity = \"Here\"\ntitle = \"Here\"\n\n\
         [device.projector]\ndriver = \"pjlink\"\nconnect = \"tcp:127.0.0.1:4352\"\n"
    );
    std::fs::write(folder.join("zz.toml"), text)
}

fn begin(number: usize) -> String {
    let (high, low) = (number / 200, number % 200 + 1);
    format!(
        "[room]\nid = \"room-{number:04}\"\ncity = \"City {number}\"\ntitle = \"Room {number}\"\n\
         incoming = \"open\"\n\n\
         [device.camera]\ndriver = \"visca-ip\"\nconnect = \"udp:10.{high}.{low}.11:52381\"\n\n\
         [device.lights]\ndriver = \"lutron\"\nconnect = \"tcp:10.{high}.{low}.13:23\"\n\
         outputs = {{ table = 12, front = 13 }}\n\n"
    )
}

fn raw(number: usize) -> String {
    let (high, low) = (number / 200, number % 200 + 1);
    begin(number)
        + &format!(
            "[bridge.rack]\nkind = \"raw-tcp\"\nhost = \"10.{high}.{low}.20\"\nports = {{ 1 = 4001 }}\n\n\
             [device.codec]\ndriver = \"polycom-group\"\nconnect = \"tcp:10.{high}.{low}.10:24\"\n\
             dial = \"sip:room-{number}@example.net\"\n\n\
             [device.doccam]\ndriver = \"lumens-dc\"\nconnect = \"bridge:rack/1\"\nline = \"9600 8N1\"\n\n\
             [device.projector]\ndriver = \"pjlink\"\nconnect = \"tcp:10.{high}.{low}.12:4352\"\n\n\
             [device.screen]\ndriver = \"itach-relay\"\nconnect = \"tcp:10.{high}.{low}.14:4998\"\n\
             relays = {{ down = \"1:1\", up = \"1:2\" }}\n"
        )
}

fn negotiated(number: usize) -> String {
    let (high, low) = (number / 200, number % 200 + 1);
    begin(number)
        + &format!(
            "[bridge.rack]\nkind = \"rfc2217\"\nhost = \"10.{high}.{low}.20\"\n\
             ports = {{ 1 = 950, 2 = 951, 3 = 952 }}\n\n\
             [device.codec]\ndriver = \"cisco-xapi\"\nconnect = \"bridge:rack/1\"\nline = \"115200 8N1\"\n\
             dial = \"sip:room-{number}@example.net\"\n\n\
             [device.doccam]\ndriver = \"visca-serial\"\nconnect = \"bridge:rack/2\"\nline = \"9600 8N1\"\n\n\
             [device.projector]\ndriver = \"text:benq\"\nconnect = \"bridge:rack/3\"\nline = \"115200 8N1\"\n\n\
             [device.screen]\ndriver = \"itach-relay\"\nconnect = \"tcp:10.{high}.{low}.14:4998\"\n\
             relays = {{ down = \"1:1\", up = \"1:2\" }}\n"
        )
}
