/// What the kernel says of the clock (`adjtimex`, NTP kernel model of RFC 5905).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockState {
    /// Whether something keeps it in time; `None` where the kernel does not say.
    pub(crate) synchronised: Option<bool>,
    /// The largest error that the kernel assumes, in microseconds.
    pub(crate) max_error_us: Option<u64>,
}

impl ClockState {
    /// Asks the kernel.
    pub(crate) const fn read() -> Self {
        Self {
            synchronised: None,
            max_error_us: None,
        }
    }
}
