//! HTTP with the Hub's rules for redirects and tokens.

use std::time::Duration;

use ureq::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_RANGE, LOCATION, RANGE,
};
use ureq::http::{Method, Request, Response, Uri};
use ureq::{Agent, Body};

use crate::hub::HubOptions;
use crate::hub_error::{HubError, Result};

const MAX_REDIRECTS: usize = 8;

/// A connection to one Hub.
pub struct Client {
    agent: Agent,
    endpoint: String,
    token: Option<String>,
}

impl Client {
    pub fn new(options: &HubOptions) -> Self {
        Self {
            agent: agent(&options.endpoint),
            endpoint: options.endpoint.clone(),
            token: options.token.clone(),
        }
    }

    /// Sends a request for the model `name`, from a byte of the file on, and follows its
    /// redirects, showing each answer to `visit`. The token goes to the endpoint's own origin
    /// only. A HEAD is not redirected to other hosts: what the Hub says of the file is in its
    /// own answers.
    pub fn send(
        &self,
        name: &str,
        method: &Method,
        url: &str,
        from: u64,
        mut visit: impl FnMut(&Response<Body>),
    ) -> Result<Response<Body>> {
        let failed = |what: String| HubError::Protocol { url: url.to_string(), what };
        let parse = |text: &str| {
            text.parse::<Uri>()
                .map_err(|error| failed(format!("the address {text}: {error}")))
        };
        let endpoint = server(&self.endpoint)?;
        let mut uri = parse(url)?;
        for _ in 0..MAX_REDIRECTS {
            let mut request = Request::builder().method(method.clone()).uri(&uri);
            request = request.header(ACCEPT_ENCODING, "identity");
            if from > 0 {
                request = request.header(RANGE, format!("bytes={from}-"));
            }
            if let Some(token) = &self.token
                && same_origin(&uri, &endpoint)
            {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            let request =
                request.body(()).map_err(|error| failed(error.to_string()))?;
            let response =
                self.agent.run(request).map_err(|error| HubError::Network {
                    name: name.to_string(),
                    url: uri.to_string(),
                    reason: error.to_string(),
                })?;
            visit(&response);
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let location = response.headers().get(LOCATION);
            let location = location.and_then(|location| location.to_str().ok());
            let location =
                location.ok_or_else(|| failed("a redirect to nowhere".into()))?;
            let next = parse(&absolute(location, &uri))?;
            if method == Method::HEAD && !same_origin(&next, &endpoint) {
                return Ok(response);
            }
            uri = next;
        }
        Err(failed(format!("more than {MAX_REDIRECTS} redirects")))
    }
}

/// The Hub's address, if it is that of a web server.
fn server(endpoint: &str) -> Result<Uri> {
    let uri = endpoint.parse::<Uri>().ok();
    let web = |uri: &Uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    };
    uri.filter(web).ok_or_else(|| HubError::Endpoint { endpoint: endpoint.to_string() })
}

/// Redirects are ours, and so are statuses. The system's certificates are believed, so that a
/// company's are, too. A proxy is asked by ureq's reading of the environment, but not for a
/// server on this machine.
fn agent(endpoint: &str) -> Agent {
    let config = Agent::config_builder();
    #[cfg(not(target_family = "wasm"))]
    let config = {
        use ureq::tls::{RootCerts, TlsConfig};
        let certificates = RootCerts::PlatformVerifier;
        config.tls_config(TlsConfig::builder().root_certs(certificates).build())
    };
    let mut config = config
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("models/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_mins(1)))
        .timeout_per_read(Some(Duration::from_mins(1)));
    let host =
        endpoint.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_string));
    if host.is_some_and(|host| {
        ["127.0.0.1", "[::1]", "localhost"].contains(&host.as_str())
    }) {
        config = config.proxy(None);
    }
    config.build().into()
}

/// Whether two addresses have scheme, host and port in common.
fn same_origin(a: &Uri, b: &Uri) -> bool {
    let port = |uri: &Uri| {
        uri.port_u16().or_else(|| match uri.scheme_str()? {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        })
    };
    let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
    a.scheme() == b.scheme() && host(a) == host(b) && port(a) == port(b)
}

/// Where a redirect leads.
fn absolute(location: &str, from: &Uri) -> String {
    if location.contains("://") {
        return location.to_string();
    }
    let scheme = from.scheme_str().unwrap_or("https");
    if let Some(rest) = location.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let authority = from.authority().map_or("", |authority| authority.as_str());
    if location.starts_with('/') {
        return format!("{scheme}://{authority}{location}");
    }
    let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{scheme}://{authority}{folder}/{location}")
}

/// Whether an answer begins at a byte of the file.
pub fn goes_on_from(response: &Response<Body>, byte: u64) -> bool {
    let range =
        response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let begin = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
    response.status() == 206 && begin.and_then(|begin| begin.parse().ok()) == Some(byte)
}
