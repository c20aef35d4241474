//! What a Hub says of a repository's files, and sends of them.

use std::io::Read;

use ureq::Body;
use ureq::http::header::{CONTENT_LENGTH, ETAG};
use ureq::http::{HeaderName, Method, Response};

use crate::http::{Client, goes_on_from};
use crate::hub::{HubOptions, is_commit};
use crate::hub_error::{HubError, Result};

/// A repository on a Hub.
pub struct Remote<'a> {
    pub name: &'a str,
    pub options: &'a HubOptions,
    client: Client,
}

/// What the Hub says of a file.
pub struct Metadata {
    pub commit: String,
    pub etag: String,
    pub size: u64,
}

impl<'a> Remote<'a> {
    pub fn new(name: &'a str, options: &'a HubOptions) -> Self {
        Self { name, options, client: Client::new(options) }
    }

    /// A file's address at a commit; at the revision asked for while that is not known.
    fn url(&self, file: &str, commit: Option<&str>) -> String {
        let revision = commit.unwrap_or(&self.options.revision).replace('/', "%2F");
        format!("{}/{}/resolve/{revision}/{file}", self.options.endpoint, self.name)
    }

    /// Asks for a file's metadata; `None` if the repository has no such file.
    pub fn head(&self, file: &str, commit: Option<&str>) -> Result<Option<Metadata>> {
        let url = self.url(file, commit);
        let mut linked = Linked::default();
        let visit = |response: &Response<Body>| linked.add(response);
        let response = self.client.send(self.name, &Method::HEAD, &url, 0, visit)?;
        let status = response.status().as_u16();
        if status == 404 {
            let code = header(&response, HeaderName::from_static("x-error-code"));
            return match code.as_deref() {
                Some("EntryNotFound") => Ok(None),
                None if commit.is_some() => Ok(None),
                _ => Err(self.no_repository()),
            };
        }
        if status >= 400 {
            return Err(self.refused(&url, status));
        }
        linked.metadata(&response, url).map(Some)
    }

    /// A file's bytes from `from` on, or all of them if the server can't go on from there:
    /// where they begin, and they.
    pub fn get(
        &self,
        file: &str,
        commit: &str,
        from: u64,
    ) -> Result<(u64, impl Read + use<>)> {
        let url = self.url(file, Some(commit));
        let get = |from| self.client.send(self.name, &Method::GET, &url, from, |_| ());
        let mut response = get(from)?;
        let mut begin = from;
        if from > 0 && !goes_on_from(&response, from) {
            // The server sends the whole file (200) or another part (206), or has no such
            // part (416).
            if matches!(response.status().as_u16(), 206 | 416) {
                response = get(0)?;
            }
            begin = 0;
        }
        if !response.status().is_success() {
            return Err(self.refused(&url, response.status().as_u16()));
        }
        Ok((begin, response.into_body().into_reader()))
    }

    /// `name` at this endpoint, for a message.
    pub fn location(&self) -> String {
        format!("`{}` at {}", self.name, self.options.endpoint)
    }

    fn no_repository(&self) -> HubError {
        HubError::NoRepository {
            endpoint: self.options.endpoint.clone(),
            repo: self.name.to_string(),
            revision: self.options.revision.clone(),
        }
    }

    fn refused(&self, url: &str, status: u16) -> HubError {
        let endpoint = self.options.endpoint.clone();
        let token = self.options.token.is_some();
        match status {
            401 | 403 => {
                HubError::Refused { endpoint, repo: self.name.into(), status, token }
            }
            404 => self.no_repository(),
            _ => HubError::Protocol {
                url: url.to_string(),
                what: format!("HTTP {status}"),
            },
        }
    }
}

/// What the Hub's own answers say, before they redirect to where the file is: the first word
/// counts.
#[derive(Default)]
struct Linked {
    commit: Option<String>,
    etag: Option<String>,
    size: Option<u64>,
}

impl Linked {
    fn add(&mut self, response: &Response<Body>) {
        let get = |name| header(response, HeaderName::from_static(name));
        self.commit = self.commit.take().or_else(|| get("x-repo-commit"));
        self.etag = self.etag.take().or_else(|| get("x-linked-etag"));
        self.size = self.size.take().or_else(|| get("x-linked-size")?.parse().ok());
    }

    /// With what the last answer says of a file that is not in large file storage.
    fn metadata(self, last: &Response<Body>, url: String) -> Result<Metadata> {
        // A redirect to another host, where the file is: it is described here already.
        let is_here = last.status().is_success();
        let length = || header(last, CONTENT_LENGTH).filter(|_| is_here)?.parse().ok();
        let protocol = |what: &str| HubError::Protocol { url, what: what.to_string() };
        let Some(commit) = self.commit.filter(|commit| is_commit(commit)) else {
            return Err(protocol(
                "without the commit that the Hub's answers have (X-Repo-Commit)",
            ));
        };
        let etag = self.etag.or_else(|| header(last, ETAG));
        let etag = etag.map(|etag| etag.trim_start_matches("W/").replace('"', ""));
        let Some(etag) = etag.filter(|etag| is_file_name(etag)) else {
            return Err(protocol("without an ETag that can name a file"));
        };
        let Some(size) = self.size.or_else(length) else {
            return Err(protocol("without the file's size (Content-Length)"));
        };
        Ok(Metadata { commit, etag, size })
    }
}

fn header(response: &Response<Body>, name: HeaderName) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_string())
}

/// Whether an ETag can be a file's name: the Hub's are hexadecimal.
fn is_file_name(etag: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=128).contains(&etag.len()) && etag.bytes().all(allowed)
}
