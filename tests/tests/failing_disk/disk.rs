//! A small file system of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An ext4 file system in a file, mounted until it is dropped.
pub(crate) struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    pub(crate) fn of_megabytes(size: u64) -> Self {
        let disk = Self { dir: tempfile::tempdir().unwrap() };
        let image = disk.dir.path().join("image");
        fs::File::create(&image).unwrap().set_len(size << 20).unwrap();
        fs::create_dir(disk.path()).unwrap();
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image));
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(disk.path()));
        disk
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("mounted")
    }

    /// Fills all but `left` bytes; the space comes back when the file is removed.
    pub(crate) fn fill(&self, left: u64) -> PathBuf {
        let ballast = self.path().join("ballast");
        let free = self.free();
        run(Command::new("fallocate").args(["-l", &(free - left).to_string()]).arg(&ballast));
        ballast
    }

    fn free(&self) -> u64 {
        let output = Command::new("df").args(["--block-size=1", "--output=avail"]).arg(self.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().last().unwrap().trim().parse().unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run(Command::new("umount").arg("--lazy").arg(self.path()));
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The bytes of all segments below `dir`, in order.
pub(crate) fn lines(dir: &Path) -> Vec<u8> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| fs::read(path).unwrap()).collect()
}
