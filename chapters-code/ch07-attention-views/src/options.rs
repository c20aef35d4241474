//! How a view looks, and the language that it speaks.

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the page around the view, also when it changes.
    #[default]
    Page,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    pub(crate) fn key(self) -> Option<&'static str> {
        match self {
            Self::Page => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    /// bertviz has two modes, and its own default is dark.
    pub(crate) fn bertviz(self) -> &'static str {
        self.key().unwrap_or("dark")
    }
}

/// The language of a view's labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// As the page around the view; if it doesn't say, as the browser.
    #[default]
    Page,
    /// Brazilian Portuguese, whatever the page around the view says.
    Portuguese,
    /// English, whatever the page around the view says.
    English,
}

impl Language {
    pub(crate) fn code(self) -> Option<&'static str> {
        match self {
            Self::Page => None,
            Self::Portuguese => Some("pt-BR"),
            Self::English => Some("en"),
        }
    }
}
