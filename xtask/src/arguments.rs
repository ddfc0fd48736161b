//! The options of a task.

use std::str::FromStr;

use crate::command::Result;

/// What is left of a task's options.
#[derive(Debug)]
pub(crate) struct Arguments<'a>(Vec<&'a str>);

impl<'a> Arguments<'a> {
    pub(crate) fn new(options: &'a [String]) -> Self {
        Self(options.iter().map(String::as_str).collect())
    }

    /// Takes `name`, and says whether it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|argument| *argument != name);
        self.0.len() < before
    }

    /// Takes `name` and the value after it.
    pub(crate) fn value<T: FromStr>(&mut self, name: &str) -> Result<Option<T>> {
        let Some(at) = self.0.iter().position(|argument| *argument == name) else {
            return Ok(None);
        };
        self.0.remove(at);
        if at == self.0.len() {
            return Err(format!("{name} needs a value").into());
        }
        let value = self.0.remove(at);
        let parsed = value.parse();
        parsed.map(Some).map_err(|_| format!("{name} does not take {value:?}").into())
    }

    /// The words that are not options.
    pub(crate) fn words(self) -> Result<Vec<&'a str>> {
        match self.0.iter().find(|word| word.starts_with('-')) {
            Some(option) => Err(format!("unknown option {option}").into()),
            None => Ok(self.0),
        }
    }

    /// Fails when anything is left.
    pub(crate) fn end(self) -> Result {
        match self.words()?.first() {
            Some(word) => Err(format!("{word:?} is not understood").into()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn flags_and_values_are_taken_wherever_they_stand() {
        let options = options("--json --rounds 100 --quick");
        let mut arguments = Arguments::new(&options);
        assert!(arguments.flag("--quick"));
        assert_eq!(arguments.value::<u32>("--rounds").unwrap(), Some(100));
        assert!(arguments.flag("--json"));
        arguments.end().unwrap();
    }

    #[test]
    fn what_is_left_or_malformed_is_named() {
        let left = options("--ronuds 100");
        assert!(Arguments::new(&left).end().unwrap_err().to_string().contains("--ronuds"));
        let malformed = options("--rounds many");
        let refused = Arguments::new(&malformed).value::<u32>("--rounds").unwrap_err();
        assert!(refused.to_string().contains("many"));
        let cut = options("--rounds");
        assert!(Arguments::new(&cut).value::<u32>("--rounds").is_err());
    }
}
