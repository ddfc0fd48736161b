//! Holds the real servers until it is told to end: what `cargo xtask servers up` leaves running.
//!
//! `servers FOLDER [--measuring]`: keeps everything below `FOLDER`, writes `FOLDER/kept.json` when all
//! is ready, and ends in order when `FOLDER/stop` appears; for measuring, also when its standard input
//! ends.

mod kept;
mod nats;
mod postgres;
mod purpose;
mod s3;
mod store;

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use real_servers::Failure;

use kept::Kept;
use purpose::Purpose;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, purpose) = match &arguments[..] {
        [folder] => (folder, Purpose::Work),
        [folder, option] if option == "--measuring" => (folder, Purpose::Measuring),
        _ => return Err("servers FOLDER [--measuring]".into()),
    };
    let folder = fs::canonicalize(folder)?;
    let ended = Arc::new(AtomicBool::new(false));
    if purpose == Purpose::Measuring {
        let ended = Arc::clone(&ended);
        thread::spawn(move || {
            // However it ends, whoever started us is gone.
            let _ = io::stdin().read_to_end(&mut Vec::new());
            ended.store(true, Ordering::Relaxed);
        });
    } else {
        // Out of reach of the terminal; whoever leads a group of processes has one already.
        let _ = rustix::process::setsid();
    }
    // Held as long as we live.
    let _lock = lock(&folder)?;
    let kept = Kept::start(&folder, purpose)?;
    replace(&folder.join("kept.json"), kept.describe().to_string().as_bytes())?;
    while !ended.load(Ordering::Relaxed) && !folder.join("stop").exists() {
        thread::sleep(PAUSE);
    }
    drop(kept);
    Ok(())
}

/// The lock that says that a keeper lives, with its process id in it.
fn lock(folder: &Path) -> Result<File, Failure> {
    let mut lock = File::options().create(true).truncate(false).write(true).open(folder.join("keeper"))?;
    let until = Instant::now() + Duration::from_secs(2);
    // Somebody who looks whether we live holds it for a moment.
    while lock.try_lock().is_err() {
        if Instant::now() >= until {
            return Err(format!("servers are kept in {} already", folder.display()).into());
        }
        thread::sleep(PAUSE);
    }
    lock.set_len(0)?;
    write!(lock, "{}", std::process::id())?;
    Ok(lock)
}

/// Writes a file that is there as a whole, or not.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(&new, file)
}

const PAUSE: Duration = Duration::from_millis(50);
