//! What a view shows: which tokens look at which, and by what name.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::{Result, ViewError};
use crate::stack::{Stack, ToStack};

/// Which part of the attention is shown: the entries of the view's menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Everything, of a single sentence.
    Whole,
    /// Everything, of a pair.
    All,
    /// Sentence A looks at itself.
    AToA,
    /// Sentence B looks at itself.
    BToB,
    /// Sentence A looks at B.
    AToB,
    /// Sentence B looks at A.
    BToA,
    /// The encoder's tokens look at themselves.
    Encoder,
    /// The decoder's tokens look at themselves.
    Decoder,
    /// The decoder's tokens look at the encoder's.
    Cross,
}

impl Filter {
    /// bertviz's name in its head view and model view; a single sentence has none.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Whole => return None,
            Self::All => "All",
            Self::AToA => "Sentence A -> Sentence A",
            Self::BToB => "Sentence B -> Sentence B",
            Self::AToB => "Sentence A -> Sentence B",
            Self::BToA => "Sentence B -> Sentence A",
            Self::Encoder => "Encoder",
            Self::Decoder => "Decoder",
            Self::Cross => "Cross",
        })
    }

    /// A short name: bertviz's in its neuron view, and ours in a view's data.
    pub fn key(self) -> &'static str {
        match self {
            Self::Whole | Self::All => "all",
            Self::AToA => "aa",
            Self::BToB => "bb",
            Self::AToB => "ab",
            Self::BToA => "ba",
            Self::Encoder => "encoder",
            Self::Decoder => "decoder",
            Self::Cross => "cross",
        }
    }
}

/// One entry of a view's menu: part of a stack's rows and columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pane {
    pub filter: Filter,
    /// Which of the view's stacks.
    pub stack: usize,
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

/// A stack and the tokens of its rows and columns.
#[derive(Debug)]
pub(crate) struct Labeled<'a> {
    pub stack: Cow<'a, Stack>,
    pub left: Vec<String>,
    pub right: Vec<String>,
}

/// What a view shows, checked.
#[derive(Debug)]
pub(crate) struct Panes<'a> {
    pub stacks: Vec<Labeled<'a>>,
    pub list: Vec<Pane>,
    /// The model's layers that are in the stacks.
    pub layers: Vec<usize>,
    /// The model's heads that are in the stacks.
    pub heads: Vec<usize>,
    /// How many heads the model has.
    pub total_heads: usize,
}

/// The attentions of a text, or of a pair of texts.
#[derive(Debug, Clone)]
pub(crate) struct SelfAttention {
    pub stack: Stack,
    pub tokens: Vec<String>,
    pub sentence_b_start: Option<usize>,
}

/// The attentions of an encoder and a decoder: each looks at itself, and the decoder at
/// the encoder.
#[derive(Debug, Clone)]
pub struct EncoderDecoder {
    encoder_tokens: Vec<String>,
    decoder_tokens: Vec<String>,
    encoder: Option<Stack>,
    decoder: Option<Stack>,
    cross: Option<Stack>,
}

#[derive(Debug, Clone)]
pub(crate) enum Source {
    One(SelfAttention),
    Two(EncoderDecoder),
}

/// Which layers and heads a view includes: `None` is all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Included {
    pub layers: Option<Vec<usize>>,
    pub heads: Option<Vec<usize>>,
}

impl SelfAttention {
    pub fn new<T: AsRef<str>>(
        attentions: &(impl ToStack + ?Sized),
        tokens: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let stack = attentions.to_stack("attention")?;
        let tokens = strings(tokens);
        check_tokens(&stack, &tokens, &tokens)?;
        Ok(Self { stack, tokens, sentence_b_start: None })
    }

    fn panes(&self) -> Result<Vec<Pane>> {
        let n = self.tokens.len();
        let pane = |filter, rows, columns| Pane { filter, stack: 0, rows, columns };
        let Some(start) = self.sentence_b_start else {
            return Ok(vec![pane(Filter::Whole, 0..n, 0..n)]);
        };
        if start == 0 || start >= n {
            return Err(ViewError::SentenceB { start, tokens: n });
        }
        let (a, b) = (0..start, start..n);
        Ok(vec![
            pane(Filter::All, 0..n, 0..n),
            pane(Filter::AToA, a.clone(), a.clone()),
            pane(Filter::BToB, b.clone(), b.clone()),
            pane(Filter::AToB, a.clone(), b.clone()),
            pane(Filter::BToA, b, a),
        ])
    }
}

impl EncoderDecoder {
    /// What the encoder read and what the decoder wrote.
    pub fn new<E: AsRef<str>, D: AsRef<str>>(
        encoder_tokens: impl IntoIterator<Item = E>,
        decoder_tokens: impl IntoIterator<Item = D>,
    ) -> Self {
        Self {
            encoder_tokens: strings(encoder_tokens),
            decoder_tokens: strings(decoder_tokens),
            encoder: None,
            decoder: None,
            cross: None,
        }
    }

    /// How the encoder's tokens look at themselves: `[heads, n, n]` for each layer.
    ///
    /// # Errors
    ///
    /// Those of [`ToStack::to_stack`]; [`ViewError::Tokens`] if the counts differ.
    pub fn encoder(mut self, attentions: &(impl ToStack + ?Sized)) -> Result<Self> {
        let stack = attentions.to_stack("encoder attention")?;
        check_tokens(&stack, &self.encoder_tokens, &self.encoder_tokens)?;
        self.encoder = Some(stack);
        Ok(self)
    }

    /// How the decoder's tokens look at themselves: `[heads, m, m]` for each layer.
    pub fn decoder(mut self, attentions: &(impl ToStack + ?Sized)) -> Result<Self> {
        let stack = attentions.to_stack("decoder attention")?;
        check_tokens(&stack, &self.decoder_tokens, &self.decoder_tokens)?;
        self.decoder = Some(stack);
        Ok(self)
    }

    /// How the decoder's tokens look at the encoder's: `[heads, m, n]` for each layer.
    pub fn cross(mut self, attentions: &(impl ToStack + ?Sized)) -> Result<Self> {
        let stack = attentions.to_stack("cross attention")?;
        check_tokens(&stack, &self.decoder_tokens, &self.encoder_tokens)?;
        self.cross = Some(stack);
        Ok(self)
    }

    /// The attentions given, with their names and tokens, in bertviz's order.
    fn given(&self) -> Vec<(Filter, &Stack, &[String], &[String])> {
        let (encoder, decoder) = (&self.encoder_tokens[..], &self.decoder_tokens[..]);
        let all = [
            (Filter::Encoder, &self.encoder, encoder, encoder),
            (Filter::Decoder, &self.decoder, decoder, decoder),
            (Filter::Cross, &self.cross, decoder, encoder),
        ];
        let given = all.into_iter().filter_map(|(filter, stack, left, right)| {
            Some((filter, stack.as_ref()?, left, right))
        });
        given.collect()
    }

    /// The layers and heads, which must be as many in each attention: they share the menus.
    fn counts(&self, included: &Included) -> Result<(usize, usize)> {
        let given = self.given();
        let Some((first, stack, ..)) = given.first() else {
            return Err(ViewError::NoAttention);
        };
        let layers = given.iter().map(|(_, stack, ..)| stack.layers).min();
        let layers = layers.unwrap_or(stack.layers);
        for (second, other, ..) in &given {
            let differ = |what, counts: (usize, usize), remedy| ViewError::Differ {
                what,
                first: first.key(),
                first_count: counts.0,
                second: second.key(),
                second_count: counts.1,
                remedy,
            };
            if stack.heads != other.heads {
                let remedy = "show them in two views";
                return Err(differ("heads", (stack.heads, other.heads), remedy));
            }
            if stack.layers != other.layers && included.layers.is_none() {
                let remedy = "choose layers that all have with include_layers";
                return Err(differ("layers", (stack.layers, other.layers), remedy));
            }
        }
        Ok((layers, stack.heads))
    }
}

impl Source {
    /// What to show, with only the layers and heads included.
    pub fn panes(&self, included: &Included) -> Result<Panes<'_>> {
        let (layers, total_heads) = match self {
            Self::One(one) => (one.stack.layers, one.stack.heads),
            Self::Two(two) => two.counts(included)?,
        };
        let layers =
            chosen("include_layers", "layer", included.layers.as_deref(), layers)?;
        let heads =
            chosen("include_heads", "head", included.heads.as_deref(), total_heads)?;
        let select = |stack| selected(stack, &layers, &heads);
        let (stacks, panes) = match self {
            Self::One(one) => {
                let (left, right) = (one.tokens.clone(), one.tokens.clone());
                let stack = select(&one.stack);
                (vec![Labeled { stack, left, right }], one.panes()?)
            }
            Self::Two(two) => {
                let given = two.given().into_iter().enumerate();
                let given = given.map(|(index, (filter, stack, left, right))| {
                    let (rows, columns) = (0..stack.rows, 0..stack.columns);
                    let pane = Pane { filter, stack: index, rows, columns };
                    let (left, right) = (left.to_vec(), right.to_vec());
                    (Labeled { stack: select(stack), left, right }, pane)
                });
                given.unzip()
            }
        };
        Ok(Panes { stacks, list: panes, layers, heads, total_heads })
    }
}

/// The layers or heads to include, checked: all if none are named.
pub(crate) fn chosen(
    list: &'static str,
    kind: &'static str,
    wanted: Option<&[usize]>,
    count: usize,
) -> Result<Vec<usize>> {
    let Some(wanted) = wanted else {
        return Ok((0..count).collect());
    };
    if wanted.is_empty() {
        return Err(ViewError::NoneChosen { list });
    }
    match wanted.iter().find(|&&index| index >= count) {
        Some(&index) => Err(ViewError::Index { kind, index, count }),
        None => Ok(wanted.to_vec()),
    }
}

/// These layers and heads of a stack; the stack itself if they are all of them.
pub(crate) fn selected<'a>(
    stack: &'a Stack,
    layers: &[usize],
    heads: &[usize],
) -> Cow<'a, Stack> {
    if layers.iter().copied().eq(0..stack.layers)
        && heads.iter().copied().eq(0..stack.heads)
    {
        return Cow::Borrowed(stack);
    }
    Cow::Owned(stack.select(layers, heads))
}

fn strings<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Vec<String> {
    tokens.into_iter().map(|token| token.as_ref().to_owned()).collect()
}

fn check_tokens(stack: &Stack, left: &[String], right: &[String]) -> Result<()> {
    let sides = [
        ("rows", stack.rows, "looking", left.len()),
        ("columns", stack.columns, "looked-at", right.len()),
    ];
    for (axis, positions, side, tokens) in sides {
        if positions != tokens {
            return Err(ViewError::Tokens { axis, positions, side, tokens });
        }
    }
    Ok(())
}

/// Tokens as bertviz shows them: without the marks that byte-level BPE, SentencePiece and
/// GPT put on words.
pub(crate) fn prettified(tokens: &[String]) -> Vec<String> {
    let pretty = |token: &String| token.replace(['Ġ', '▁'], " ").replace("</w>", "");
    tokens.iter().map(pretty).collect()
}
