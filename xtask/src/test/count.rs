//! Adding up what test programs say at their end.

use std::fmt;

/// How many tests there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    /// How many test programs said so.
    pub(crate) programs: u64,
}

impl Count {
    /// Takes one line of output into account: `test result: ok. 3 passed; 0 failed; …`.
    pub(crate) fn line(&mut self, line: &str) {
        let Some(result) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        self.programs += 1;
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Takes one check that is not a test program's into account.
    pub(crate) fn check(&mut self, name: &str, held: bool) {
        println!("check {name} ... {}", if held { "ok" } else { "FAILED" });
        if held {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} passed, {} failed, {} ignored ({} test programs)",
            self.passed, self.failed, self.ignored, self.programs
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_programs_add_up() {
        let mut count = Count::default();
        count.line("running 3 tests");
        count.line("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        count.line("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.25s");
        let expected = Count { passed: 5, failed: 1, ignored: 1, programs: 2 };
        assert_eq!(count, expected);
    }

    #[test]
    fn other_lines_count_for_nothing() {
        let mut count = Count::default();
        count.line("test the_result_is_3_passed ... ok");
        count.line("test result without a colon");
        assert_eq!(count, Count::default());
    }
}
