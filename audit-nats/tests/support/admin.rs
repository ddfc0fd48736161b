//! What an administrator, or an attacker with an administrator's rights, asks of the server.

use std::time::Duration;

use super::Result;

/// Somebody who may do everything.
pub struct Admin {
    runtime: tokio::runtime::Runtime,
    client: async_nats::Client,
}

impl Admin {
    pub fn connect(address: &str) -> Result<Self> {
        Self::with(address, async_nats::ConnectOptions::new(), Duration::from_secs(10))
    }

    /// A user with the password `password`, who is not waited for long: what is refused is not answered.
    pub fn as_user(address: &str, user: &str, password: &str, inbox: &str) -> Result<Self> {
        let options = async_nats::ConnectOptions::with_user_and_password(user.into(), password.into());
        Self::with(address, options.custom_inbox_prefix(inbox), Duration::from_millis(700))
    }

    fn with(address: &str, options: async_nats::ConnectOptions, timeout: Duration) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let servers: Vec<async_nats::ServerAddr> =
            address.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?;
        let client = runtime.block_on(options.request_timeout(Some(timeout)).connect(servers))?;
        Ok(Self { runtime, client })
    }

    /// The answer to a request; an error when there is none.
    pub fn ask(&self, subject: &str, question: &str) -> Result<String> {
        let answer = self.runtime.block_on(self.client.request(subject.to_owned(), question.to_owned().into()))?;
        Ok(String::from_utf8_lossy(&answer.payload).into_owned())
    }

    /// The answer to a request that has to work.
    pub fn must(&self, subject: &str, question: &str) -> Result<String> {
        let answer = self.ask(subject, question)?;
        if answer.contains("\"error\"") { Err(format!("{subject}: {answer}").into()) } else { Ok(answer) }
    }

    /// Changes settings of a stream.
    pub fn update(&self, stream: &str, changes: &[(&str, serde_json::Value)]) -> Result {
        let info = self.must(&format!("$JS.API.STREAM.INFO.{stream}"), "")?;
        let mut info: serde_json::Value = serde_json::from_str(&info)?;
        let mut config = info["config"].take();
        for (name, value) in changes {
            config[*name] = value.clone();
        }
        self.must(&format!("$JS.API.STREAM.UPDATE.{stream}"), &config.to_string())?;
        Ok(())
    }
}

/// Makes a stream with exactly these settings.
pub fn make_stream(servers: &real_servers::Nats, stream: &str, settings: &str) -> Result {
    Admin::connect(&servers.addresses())?.must(&format!("$JS.API.STREAM.CREATE.{stream}"), settings)?;
    Ok(())
}
