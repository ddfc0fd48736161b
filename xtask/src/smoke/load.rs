//! The three servers under load, patient clients and such that leave: stopped, and killed.

use crate::command::Result;
use crate::crash::{Programs, balance};
use crate::framework::Framework;
use crate::server::Profile;
use crate::smoke::Site;
use crate::test::Count;

pub(crate) fn check(site: &Site, count: &mut Count) -> Result {
    let programs = Programs::build(Profile::Dev)?;
    for framework in Framework::ALL {
        let folder = site.place(&format!("load-{framework}"));
        std::fs::create_dir_all(&folder)?;
        let load = programs.load(framework);
        let stopped = balance::after_a_stop(&programs, &load, &folder);
        let name = format!("{framework}: after SIGTERM under load, intents equal outcomes and cover all handler runs");
        count.check(&name, held(&stopped));
        let killed = balance::after_a_kill(&programs, &load, &folder);
        count.check(&format!("{framework}: after SIGKILL under load, intents cover all handler runs"), held(&killed));
    }
    Ok(())
}

/// Says what came of it.
fn held(balance: &Result<balance::Balance>) -> bool {
    match balance {
        Ok(balance) => println!("{balance}"),
        Err(error) => println!("{error}"),
    }
    balance.is_ok()
}
