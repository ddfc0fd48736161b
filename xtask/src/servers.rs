//! `cargo xtask servers up|down`: the real servers, kept for work by hand.
//!
//! A keeper in a session of its own holds them and ends with `down`. Everything is below
//! `target/servers`: configuration files, secrets (for their owner only), what the servers print.

mod keeper;

use std::path::PathBuf;

use serde_json::Value;

use crate::arguments::Arguments;
use crate::command::{self, Result};
use crate::install;
use crate::server::{self, Profile};

pub(crate) use keeper::Keeper;

pub(crate) fn run(options: &[String]) -> Result {
    let words = Arguments::new(options).words()?;
    match words[..] {
        ["up"] => up(),
        ["down"] => down(),
        _ => Err("`cargo xtask servers up` starts them, `cargo xtask servers down` stops them".into()),
    }
}

fn up() -> Result {
    install::install_servers(&[])?;
    let keeper = Keeper::at(&folder())?;
    let kept = match keeper.kept()? {
        Some(kept) => kept,
        None => {
            keeper.start(&server::build("xtask", &["servers"], Profile::Dev)?.join("servers"))?;
            keeper.wait_until_ready()?
        }
    };
    println!("{}", show(&kept));
    println!("`cargo xtask servers down` stops them; what they hold, and all else in target/servers, is gone.");
    Ok(())
}

fn down() -> Result {
    let ended = Keeper::at(&folder())?.stop()?;
    println!("{}", if ended { "the servers are stopped, what they held is gone" } else { "no servers are kept" });
    Ok(())
}

fn folder() -> PathBuf {
    command::root().join("target/servers")
}

/// What a person wants to know of what is kept.
fn show(kept: &Value) -> String {
    let mut shown = String::new();
    for configuration in kept["configurations"].as_array().into_iter().flatten() {
        let file = configuration["file"].as_str().unwrap_or_default();
        shown.push_str(&format!("\n{}, and examples/{file}\n", folder().join(file).display()));
        for store in configuration["stores"].as_array().into_iter().flatten() {
            let text = |name: &str| store[name].as_str().unwrap_or_default();
            shown.push_str(&format!("  {}\n", text("server")));
            shown.push_str(&format!("    to write  {}\n    to read   {}\n", text("url"), text("reading_url")));
        }
    }
    shown
}
