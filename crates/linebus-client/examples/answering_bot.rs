//! A bot that tells the time to whoever asks: `cargo run --example answering_bot [URL]`, then by
//! hand `recv answers` and `send clock what time is it @answers`, or in a program `Client::ask`.

use std::time::{SystemTime, UNIX_EPOCH};

use linebus_client::{Client, Error, Event, split_reply};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "linebus://127.0.0.1".to_owned());
    let bot = Client::builder(&url)?.login("clock-bot", None)?;
    let (client, mut events) = bot.retry_first_connection(true).connect().await?;
    client.recv("clock").await?;
    println!("listening on `clock`");
    while let Some(event) = events.next().await {
        match event {
            Event::Message(message) => {
                // The asker may be gone, the bus may be: neither is a reason to end.
                if let Err(error) = answer(&client, &message.text).await {
                    eprintln!("an answer was not sent: {error}");
                }
            }
            Event::Disconnected(lost) => eprintln!("{}; questions may be missed", lost.why),
            Event::Reconnected { after } => eprintln!("back; deaf for {after:.1?}"),
            other => eprintln!("{other:?}"),
        }
    }
    Ok(())
}

async fn answer(client: &Client, message: &str) -> Result<(), Error> {
    let (question, reply_topic) = split_reply(message);
    let Some(reply_topic) = reply_topic else {
        println!("somebody said: {question}");
        return Ok(());
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let answer = match question {
        "what time is it" => format!("{now} seconds since 1970"),
        _ => "ask me: what time is it".to_owned(),
    };
    client.send(reply_topic, &answer).await?;
    client.send(reply_topic, "done").await
}
