//! Sixty sentences to try a sentiment model on, invented for this book.
//!
//! They were labeled by their author before any model read them, and chosen to be hard
//! in different ways, not to be a fair sample of anything.

use serde::Serialize;

/// What makes a sentence easy or hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// Says plainly what it thinks, of a film or a series.
    Plain,
    /// Says it by denying the opposite.
    Negation,
    /// Says the opposite of what it means.
    Irony,
    /// Praises one thing and blames another; the label is what it concludes.
    Mixed,
    /// Speaks of something other than films.
    Elsewhere,
    /// Says it plainly, in Portuguese.
    Portuguese,
}

impl Kind {
    /// All kinds, in the order of [`SENTENCES`].
    pub const ALL: [Self; 6] = [
        Self::Plain,
        Self::Negation,
        Self::Irony,
        Self::Mixed,
        Self::Elsewhere,
        Self::Portuguese,
    ];
}

/// A sentence with the answer that a person gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labeled {
    /// What makes it easy or hard.
    pub kind: Kind,
    /// Whether it praises.
    pub positive: bool,
    /// The sentence.
    pub text: &'static str,
}

impl Labeled {
    /// The right label's name.
    pub fn label(&self) -> &'static str {
        if self.positive { "POSITIVE" } else { "NEGATIVE" }
    }
}

const fn praise(kind: Kind, text: &'static str) -> Labeled {
    Labeled { kind, positive: true, text }
}

const fn blame(kind: Kind, text: &'static str) -> Labeled {
    Labeled { kind, positive: false, text }
}

/// Ten of each kind, half of them praise.
pub const SENTENCES: [Labeled; 60] = {
    use Kind::{Elsewhere, Irony, Mixed, Negation, Plain, Portuguese};
    [
        praise(Plain, "A wonderful story, told with great care."),
        praise(Plain, "The actors are brilliant and the music is beautiful."),
        praise(Plain, "I laughed from the first scene to the last."),
        praise(Plain, "One of the best films I have seen in years."),
        praise(Plain, "A warm, funny and honest portrait of a family."),
        blame(Plain, "A boring story with flat characters."),
        blame(Plain, "The plot makes no sense and the jokes are stale."),
        blame(Plain, "I wanted to leave after twenty minutes."),
        blame(Plain, "One of the worst films I have seen in years."),
        blame(Plain, "A slow, ugly and pointless waste of time."),
        praise(Negation, "The film is not bad at all."),
        praise(Negation, "There is not a dull moment in it."),
        praise(Negation, "You will not regret a single minute."),
        praise(Negation, "I have never seen a better ending."),
        praise(Negation, "It is never boring, and it never gets lost."),
        blame(Negation, "The film is not good at all."),
        blame(Negation, "There is nothing funny about this comedy."),
        blame(Negation, "I would not recommend it to anyone."),
        blame(Negation, "It isn't clever, and it isn't moving either."),
        blame(Negation, "The great cast can't save it."),
        praise(
            Irony,
            "Thanks to this series I no longer sleep: one more episode, always.",
        ),
        praise(Irony, "Terrible news for my wallet: now I want the whole collection."),
        praise(Irony, "I hated it when it ended, because I wanted three more hours."),
        praise(Irony, "Damn this director, who made me cry on the bus."),
        praise(
            Irony,
            "My only complaint is that I can't see it again for the first time.",
        ),
        blame(Irony, "Oh great, another remake, exactly what the world needed."),
        blame(Irony, "A perfect film, if you have trouble falling asleep."),
        blame(Irony, "My favourite part was when the lights came on again."),
        blame(Irony, "Brilliant idea to explain every joke twice."),
        blame(Irony, "Two hours of my life well spent counting the seats."),
        praise(Mixed, "The beginning is slow, but the ending is magnificent."),
        praise(Mixed, "Despite a weak script, it moved me deeply."),
        praise(Mixed, "The effects are cheap, and yet I loved every second."),
        praise(Mixed, "It has its faults, but its heart is in the right place."),
        praise(Mixed, "I expected a disaster and found a small gem."),
        blame(Mixed, "The photography is beautiful, but the story is empty."),
        blame(Mixed, "Despite a fine cast, it never comes to life."),
        blame(Mixed, "The trailer is great; the film is a mess."),
        blame(Mixed, "It starts with charm and ends with a yawn."),
        blame(Mixed, "I expected a gem and found a disaster."),
        praise(Elsewhere, "The waiter was kind and the soup was delicious."),
        praise(Elsewhere, "This phone is fast and the battery lasts two days."),
        praise(Elsewhere, "The hotel room was clean, quiet and full of light."),
        praise(Elsewhere, "They repaired my bicycle the same day, for a fair price."),
        praise(Elsewhere, "Our teacher explains everything with patience."),
        blame(Elsewhere, "The soup was cold and the waiter was rude."),
        blame(Elsewhere, "This phone is slow and the screen broke in a week."),
        blame(Elsewhere, "The hotel room was dirty and smelled of smoke."),
        blame(Elsewhere, "They lost my package and never answered the phone."),
        blame(Elsewhere, "The bus was late again and nobody apologised."),
        praise(Portuguese, "Adorei o filme, é uma história linda."),
        praise(Portuguese, "Os atores são ótimos e a música é maravilhosa."),
        praise(Portuguese, "Um dos melhores filmes que já vi."),
        praise(Portuguese, "Uma comédia divertida e inteligente."),
        praise(Portuguese, "Saí do cinema feliz e emocionado."),
        blame(Portuguese, "Detestei o filme, é uma história chata."),
        blame(Portuguese, "Os atores são péssimos e a música é horrível."),
        blame(Portuguese, "Um dos piores filmes que já vi."),
        blame(Portuguese, "Uma comédia sem graça e previsível."),
        blame(Portuguese, "Saí do cinema triste e decepcionado."),
    ]
};
