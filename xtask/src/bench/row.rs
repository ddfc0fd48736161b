//! The table of figures.

use std::fmt;

use serde_json::{Value, json};

/// A figure has to be at least, or at most, this.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Budget {
    None,
    AtLeast { floor: f64, aim: f64 },
    AtMost { floor: f64, aim: f64 },
}

/// One figure.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    what: String,
    value: f64,
    unit: &'static str,
    budget: Budget,
}

impl Row {
    /// A figure that is reported and has no budget.
    pub(crate) fn new(name: &'static str, what: impl Into<String>, value: f64) -> Self {
        Self { name, what: what.into(), value, unit: "×", budget: Budget::None }
    }

    pub(crate) fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    pub(crate) fn at_least(mut self, floor: f64, aim: f64) -> Self {
        self.budget = Budget::AtLeast { floor, aim };
        self
    }

    pub(crate) fn at_most(mut self, floor: f64, aim: f64) -> Self {
        self.budget = Budget::AtMost { floor, aim };
        self
    }

    /// `missed`, `held`, `aim` or nothing. What could not be measured is missed.
    fn verdict(&self) -> &'static str {
        let reached = |held: bool, aimed: bool| match (held, aimed) {
            (true, true) => "aim",
            (true, false) => "held",
            (false, _) => "missed",
        };
        match self.budget {
            Budget::None => "",
            Budget::AtLeast { floor, aim } => reached(self.value >= floor, self.value >= aim),
            Budget::AtMost { floor, aim } => reached(self.value <= floor, self.value <= aim),
        }
    }

    fn budget(&self) -> String {
        match self.budget {
            Budget::None => String::new(),
            Budget::AtLeast { floor, .. } => format!("≥ {}", number(floor)),
            Budget::AtMost { floor, .. } => format!("≤ {}", number(floor)),
        }
    }

    fn json(&self) -> Value {
        let (sense, floor, aim) = match self.budget {
            Budget::None => (None, None, None),
            Budget::AtLeast { floor, aim } => (Some("at least"), Some(floor), Some(aim)),
            Budget::AtMost { floor, aim } => (Some("at most"), Some(floor), Some(aim)),
        };
        let missed = self.verdict() == "missed";
        json!({
            "name": self.name, "what": self.what, "value": self.value, "unit": self.unit,
            "budget": sense, "floor": floor, "aim": aim,
            "held": sense.map(|_| !missed),
        })
    }
}

/// All figures, in the order in which they are reported.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn push(&mut self, row: Row) {
        eprintln!("  {}: {} {}", row.what, number(row.value), row.unit);
        self.0.push(row);
    }

    /// How many floors are missed.
    pub(crate) fn missed(&self) -> usize {
        self.0.iter().filter(|row| row.verdict() == "missed").count()
    }

    pub(crate) fn json(&self) -> Value {
        let rows: Vec<_> = self.0.iter().map(Row::json).collect();
        json!({ "rows": rows, "missed": self.missed() })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|row| row.what.chars().count()).max();
        let width = width.unwrap_or(0);
        for row in &self.0 {
            writeln!(
                formatter,
                "{:<width$}  {:>10} {:<6} {:>11}  {}",
                row.what,
                number(row.value),
                row.unit,
                row.budget(),
                row.verdict(),
            )?;
        }
        Ok(())
    }
}

/// `value` with three or four digits that mean something, thousands set apart.
fn number(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_missed_below_it_and_an_aim_reached_above() {
        let row = |value| Row::new("r", "r", value).at_least(0.8, 0.9);
        assert_eq!(row(0.79).verdict(), "missed");
        assert_eq!(row(0.80).verdict(), "held");
        assert_eq!(row(0.95).verdict(), "aim");
    }

    #[test]
    fn what_could_not_be_measured_is_missed() {
        assert_eq!(Row::new("r", "r", f64::NAN).at_most(1.0, 0.5).verdict(), "missed");
        assert_eq!(Row::new("r", "r", f64::NAN).at_least(1.0, 2.0).verdict(), "missed");
    }

    #[test]
    fn numbers_are_set_for_reading() {
        assert_eq!(number(0.8049), "0.80");
        assert_eq!(number(1_234_567.0), "1,234,567");
        assert_eq!(number(-123.0), "-123");
    }
}
