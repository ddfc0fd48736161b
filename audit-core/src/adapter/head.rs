/// What the head of a response says about how the call goes on.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub(super) status: u16,
    pub(super) length: Option<u64>,
    pub(super) is_end: bool,
}

impl Head {
    /// A head with this status, and a body behind it.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, length: None, is_end: false }
    }

    /// The length of the body, where the framework knows it; otherwise its `Content-Length`
    /// counts. At so many bytes a server stops asking for more.
    #[must_use]
    pub const fn length(mut self, length: Option<u64>) -> Self {
        self.length = length;
        self
    }

    /// Whether it is known already that nothing follows.
    #[must_use]
    pub const fn ends(mut self, is_end: bool) -> Self {
        self.is_end = is_end;
        self
    }
}
