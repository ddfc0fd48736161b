/// What the kernel says of the clock (`adjtimex`, the kernel model of RFC 5905).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClockState {
    /// Whether something keeps it in time; `None` where the kernel does not say.
    pub(crate) synchronised: Option<bool>,
    /// The largest error that the kernel assumes, in microseconds.
    pub(crate) max_error_us: Option<u64>,
}

impl ClockState {
    /// Asks the kernel, without changing anything.
    #[cfg(target_os = "linux")]
    pub(crate) fn read() -> Self {
        /// `STA_UNSYNC` of `timex.h`.
        const UNSYNCHRONISED: i32 = 0x40;
        let mut timex = rtime_clock::adjtime::Timex::new();
        match rtime_clock::adjtime::adjtimex(&mut timex) {
            Ok(_) => Self {
                synchronised: Some(timex.0.status & UNSYNCHRONISED == 0),
                max_error_us: u64::try_from(timex.0.maxerror).ok(),
            },
            Err(_) => Self::default(),
        }
    }

    /// Only Linux has this word on its clock.
    #[cfg(not(target_os = "linux"))]
    pub(crate) const fn read() -> Self {
        Self { synchronised: None, max_error_us: None }
    }
}
