//! The words of the page: what was measured, on what, how, and what the numbers don't say.

use std::fmt::Write as _;

use super::{
    CHART, CONNECTIONS, CPU, DATA, DELIVERIES, GENERATOR, LATENCY, PROMISES, RECEIVERS, RULES,
    SLOW, THREADS, TLS, TOPICS,
};
use crate::machine::seconds;
use crate::requirements::{self, Verdict};
use crate::results::Results;
use std::time::Duration;

/// Title, verdict, machine, versions, method and chart.
pub(super) fn head(results: &Results) -> String {
    let mut text = "# Benchmarks\n\n".to_owned();
    text.push_str(
        "linebus beside NATS, Redis pub/sub and Mosquitto, on one machine, with the same load generator and the same \
         socket code for all; and beside a *blind relay* that copies bytes from sender to receivers without looking at \
         them, which is as fast as a server can be that does nothing.\n\n",
    );
    if results.tiny {
        text.push_str("**This is a tiny run, made to show that everything works. Its numbers mean nothing.**\n\n");
    }
    let _ = writeln!(text, "{}\n", verdict(results));
    let _ = writeln!(text, "![Deliveries per second by shape and server]({CHART})\n");
    text.push_str("Made by `cargo xtask bench`; ");
    let _ = writeln!(text, "the numbers behind it are in [{DATA}]({DATA}).\n");
    text.push_str(&machine(results));
    text.push_str(&method(results));
    text
}

fn verdict(results: &Results) -> String {
    let all = requirements::all(results);
    let count = |verdict| all.iter().filter(|one| one.verdict() == verdict).count();
    let met = count(Verdict::Pass);
    let mut text = format!("**Of {} requirements, {met} are met", met + count(Verdict::Fail));
    for (number, what) in [
        (count(Verdict::GeneratorBound), "could not be judged, as the generator was the limit"),
        (count(Verdict::NotMeasured), "were not measured"),
    ] {
        if number > 0 {
            let _ = write!(text, "; {number} {what}");
        }
    }
    text.push_str(".**");
    text
}

fn machine(results: &Results) -> String {
    let machine = &results.machine;
    let mut text = "## Machine and versions\n\n".to_owned();
    let _ = writeln!(
        text,
        "- {}, {} cores, {} GiB of memory",
        machine.processor, machine.cores, machine.memory_gib
    );
    let _ = writeln!(
        text,
        "- {}, Linux {}, TCP congestion control {}",
        machine.system, machine.kernel, machine.congestion_control
    );
    for (server, version) in &results.versions {
        let _ = writeln!(text, "- {} {version}", server.title());
    }
    let _ = writeln!(text, "- measured on {}\n", results.date);
    text
}

fn method(results: &Results) -> String {
    let clock = seconds(Duration::from_secs_f64(results.seconds));
    let often = match results.repeats {
        1 => "once".to_owned(),
        repeats => format!("{repeats} times"),
    };
    let source = match results.cpu_source.as_str() {
        "" => String::new(),
        source => format!(" Server CPU is user and system time of all its threads, from {source}."),
    };
    format!(
        "## Method\n\n\
         - One server at a time, freshly started, on one core; the generator, one thread, on another. All traffic is \
         TCP over loopback.\n\
         - Throughput is a closed loop: 64 KiB to 1 MiB are under way to each receiver (the same number of messages for \
         every server), written in pieces of about 64 KiB. The clock runs for {clock} \
         after a warm-up.\n\
         - Every delivery is compared with what it must be during warm-up and at the end; while the clock runs, the \
         first and the last of each read are, and the count must be exact. A run that loses, doubles or garbles \
         anything gives no number.\n\
         - Latency is an open loop: messages are due on a fixed grid of time, and latency counts from when a message was \
         due, not from when it was sent. The generator spins.\n\
         - Everything is measured {often}, the servers taking turns, each time with another one first; the tables give \
         the median, and the least and the most in brackets; so do ratios, each taken within one repeat.{source}\n\
         - Before each measurement of throughput, one run is thrown away: a virtual machine may have given its free \
         memory back to its host, and the first to fill sockets again would pay for that.\n"
    )
}

/// What to know before reading a table.
pub(super) fn above(title: &str) -> Option<&'static str> {
    Some(match title {
        PROMISES => {
            "A ratio is taken within each repeat, where what is compared was measured soon one after the other, since \
             the speed of a shared machine drifts by more than many differences; the median of the repeats' ratios \
             counts. Of cost by receivers and topics only a rise counts, for a fall breaks no promise; \"no slower\" \
             with two threads allows for 5 % of difference between equal runs. It is generator-bound where the \
             generator was busy for 97 % of the time or more with one thread and with two: then neither rate is the \
             server's, and their ratio is neither a pass nor a fail."
        }
        DELIVERIES => {
            "Deliveries to all receivers together. At a † the generator was busy for 97 % of the time or more, so that it \
             and not the server set the rate: the server could do more. At a ‡ neither was busy for 85 % of the time: the \
             machine had other work, and the rate says little."
        }
        CPU => {
            "Nanoseconds of the server's CPU for each delivery, the kernel's work for its sockets included. It \
             depends less on the generator than the rate does, but not quite: a server that the generator can't keep \
             busy (†) works on short queues that stay in the processor's caches, and so do its bytes. The relay's \
             numbers are the likeliest to be such."
        }
        GENERATOR => {
            "Nanoseconds of the generator's own CPU for each delivery, to judge the † by. It differs between servers \
             because they deliver in larger or smaller pieces and with more or less framing."
        }
        LATENCY => {
            "From the moment a message was due until the receiver had read it. Medians of the repeats."
        }
        CONNECTIONS => {
            "Growth of the server's resident memory by connections that have joined and hear nothing. The kernel's \
             memory for their sockets is not part of it. Connections per second: connecting, joining and the \
             confirmation, 64 at a time."
        }
        RECEIVERS => "Server CPU per delivery again, one sender on one topic, 128 B.",
        TOPICS => {
            "Server CPU per delivery, one sender, 128 B. *One used*: one receiver on one topic, while the others are \
             merely joined, by other connections. *All used*: the sender goes round all topics, message by message; \
             every 4 096 topics are joined by one receiver. There, no two messages in a row have the same topic, but \
             for the first line."
        }
        TLS => {
            "Deliveries to all receivers together, marked as above, and the server's CPU for each. TLS 1.3; the \
             generator offers one cipher suite only, so that all encrypt with the same, and checks the certificate. It \
             encrypts and decrypts as much as the server does, with rustls, on its one core; NATS sends a line in the \
             clear before the handshake, linebus none. Every server process makes its handshakes before the clock starts."
        }
        RULES => {
            "linebus only: without accounts, and with one user as whom all connections log in and who has 25 rules for \
             sending and 25 for receiving, allow and deny, of topics and of wildcards. One rule allows the run's topics; \
             it is the last one. In the last line a deny overlaps the wildcard that the receiver joined, so that every \
             line has to be looked at. The server's CPU for each delivery stands beside the rates."
        }
        SLOW => {
            "linebus only, and rule 7 of its delivery. Of several repeats the worst counts.\n\n\
             First: 100 receivers on one topic, under load; one of them stops reading for good. The others may be \
             delayed by 500 ms once. 100 ms more are allowed, and are all that is allowed later, because everybody has to \
             wait for their turn in the server and in the generator. A gap is a time without any delivery, and that of \
             the worst receiver counts; rates are compared from 3 s to 8 s after the suspension and for 2 s before it.\n\n\
             Second: a sender writes whatever its socket takes, while the receiver takes 50 MB/s, evenly. All lines \
             are compared with what they must be, to the last one, and counted.\n\n\
             Third: 1 000 receivers don't read and 4 do, until the budget is spent and for 2 s beyond. The 4 must hear \
             everything. Peak memory (VmHWM) less that of the idle server may rise by the budget, 2 KiB for \
             each connection, and an eighth of the budget: it counts bytes that wait, not the room that is left in the \
             last chunk of each outbox, nor what the allocator wastes. What the kernel keeps for sockets is no part of it."
        }
        THREADS => {
            "linebus only. Neither the server nor the generator is kept on a core; they share the machine."
        }
        _ => return None,
    })
}

/// Whatever gave no number, with the reason.
pub(super) fn failures(results: &Results) -> String {
    let failed: Vec<String> = results
        .rows
        .iter()
        .filter_map(|row| Some((row, row.failure()?)))
        .map(|(row, why)| {
            let why = why.replace('\n', " ");
            format!("- {}, {}, {}: {why}\n", row.server.title(), row.section.name(), row.title)
        })
        .collect();
    if failed.is_empty() {
        return String::new();
    }
    format!("\n## What failed\n\n{}", failed.concat())
}

/// What the numbers don't say.
pub(super) fn notes(_results: &Results) -> String {
    "\n## Read with care\n\n\
     - Loopback on one machine: no network card, no loss, no distance. Between machines the differences shrink as the \
     network takes its share.\n\
     - The kernel does the receiver's half of TCP on loopback inside the sender's system call, and accounts it there. So \
     a server pays for its receivers' half and not for its own; that is so for all of them.\n\
     - One core for each server. NATS on one core is not NATS on sixteen; Redis and Mosquitto have one \
     thread for this work anyway.\n\
     - Nobody is tuned. Persistence is off; Mosquitto's queue limits are raised and its Nagle algorithm is off; Redis \
     is told `CLIENT REPLY OFF` by senders, which spares it the answer to each `PUBLISH`; NATS runs without \
     `verbose`, as its clients do.\n\
     - linebus runs with all its checks: UTF-8, control characters, limits. Payloads are ASCII, on which the UTF-8 \
     check is quickest. The others don't look into payloads.\n\
     - Throughput is that of senders who always have more to send, in large writes. That suits servers that work in \
     batches; the latency table shows single messages.\n\
     - NATS, Redis and Mosquitto do more than linebus: clusters, persistence, request routing, data structures, \
     guarantees of delivery. If you need those, these numbers are not the reason to choose.\n"
        .to_owned()
}
