//! How fast to learn, step by step.

/// What comes after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// The peak, to the end.
    Constant,
    /// A straight line down to 0.
    Linear,
    /// Half of a cosine down to 0 (Loshchilov and Hutter 2017).
    Cosine,
}

/// A learning rate that rises from 0 to its peak, then falls: transformers'
/// `get_linear_schedule_with_warmup` and its sisters.
///
/// The rise spares the start, when AdamW's means are of few gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps until it is reached.
    pub warmup: u64,
    /// Steps in all.
    pub total: u64,
    /// What follows the warm-up.
    pub decay: Decay,
}

impl Schedule {
    /// The rate of a step, counted from 0; past `total`, it stays where it ended
    /// (transformers' cosine would rise again).
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.peak * step as f64 / self.warmup as f64;
        }
        let decay_steps = self.total.saturating_sub(self.warmup).max(1) as f64;
        let done = ((step - self.warmup) as f64 / decay_steps).min(1.0);
        self.peak
            * match self.decay {
                Decay::Constant => 1.0,
                Decay::Linear => 1.0 - done,
                Decay::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            }
    }
}
