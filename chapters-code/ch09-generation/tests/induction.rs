//! Induction heads: the models, the scores, and what taking heads out does.

use candle_core::{Device, Tensor};
use generation::Gpt;
use generation::induction::scores::{places, share};
use generation::induction::train::fast_loss;
use generation::induction::{
    Ablation, AttentionLayer, AttentionOnly, Change, Circuit, Head, Instead, Recipe,
    Repeated, Task, composition, copying, gpt_attentions, gpt_attentions_without_first,
    looking_back, losses, scores, train, uniform_scores,
};
use training::parameters::draw;

const TASK: Task = Task { vocabulary: 12, length: 20, shortest: 4, longest: 8 };

fn recipe() -> Recipe {
    Recipe {
        task: TASK,
        width: 16,
        batch: 8,
        steps: 60,
        interval: 20,
        ..Recipe::default()
    }
}

fn head(layer: usize, head: usize) -> Head {
    Head { layer, head }
}

fn tokens(sequences: &[Repeated]) -> Vec<Vec<u32>> {
    sequences.iter().map(|sequence| sequence.tokens.clone()).collect()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn a_sequence_repeats_itself_at_another_distance_each_time() {
    let sequences = TASK.held_out(3, 200).unwrap();
    for Repeated { tokens, start, period } in &sequences {
        assert_eq!(tokens.len(), 20);
        assert!((4..=8).contains(period) && start + 2 * period <= 20);
        assert!((start + period..20).all(|t| tokens[t] == tokens[t - period]));
    }
    for period in 4..=8 {
        let starts: std::collections::BTreeSet<usize> = sequences
            .iter()
            .filter(|sequence| sequence.period == period)
            .map(|sequence| sequence.start)
            .collect();
        assert!(starts.len() > 3, "{period}: {starts:?}");
    }
    assert_ne!(TASK.of_step(3, 0, 4).unwrap(), TASK.of_step(3, 1, 4).unwrap());
    assert_eq!(TASK.of_step(3, 1, 4).unwrap(), TASK.of_step(3, 1, 4).unwrap());
    let control = TASK.unrepeated(3, &sequences);
    let returns = |row: &[u32], of: &Repeated| {
        (of.repeats_from()..20).filter(|&t| row[t] == row[t - of.period]).count()
    };
    let (mut found, mut asked) = (0, 0);
    for (row, of) in control.iter().zip(&sequences) {
        found += returns(row, of);
        asked += 20 - of.repeats_from();
    }
    assert!(found * 6 < asked, "{found} of {asked}: one in twelve is chance");
}

/// The loss and every gradient, beside those of the model that answers, by candle's autograd.
#[test]
fn the_fast_path_is_the_model_that_answers() {
    let (parameters, model) =
        draw(5, |vb| AttentionOnly::load(&vb, &recipe())).unwrap();
    let sequences = TASK.held_out(1, 3).unwrap();
    let fast = fast_loss(&model, &sequences).unwrap();
    let logits = model.forward(&tokens(&sequences), &[]).unwrap().logits;
    let guesses = logits.narrow(1, 0, 19).unwrap().reshape(((), 12)).unwrap(); // [3 · 19, 12]
    let targets: Vec<u32> =
        sequences.iter().flat_map(|row| row.tokens[1..].to_vec()).collect();
    let targets = Tensor::new(targets, &Device::Cpu).unwrap();
    let slow = candle_nn::loss::cross_entropy(&guesses, &targets).unwrap();
    let [found, expected] =
        [&fast, &slow].map(|loss| f64::from(loss.to_scalar::<f32>().unwrap()));
    close(found, expected);
    let parts = losses(&logits, &sequences).unwrap();
    let repeated: usize = sequences.iter().map(|row| 19 - row.repeats_from()).sum();
    let first = 3 * 19 - repeated;
    let both = parts.first * first as f64 + parts.repeated * repeated as f64;
    close(both / (3.0 * 19.0), expected);

    let (fast, slow) = (gradients::backward(&fast).unwrap(), slow.backward().unwrap());
    for (name, parameter) in parameters.iter() {
        let found = flat(fast.get(parameter).unwrap());
        let expected = flat(slow.get(parameter).unwrap());
        let most = expected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(most > 0.0, "{name} has no gradient");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4 * most, "{name}");
        }
    }
    assert_eq!(parameters.iter().count(), 2 + 2 * 4, "positions are no parameter");
}

#[test]
fn scores_of_attentions_made_by_hand() {
    // start 1, period 3, copies: x abc abc
    let one = Repeated { tokens: vec![9, 1, 2, 3, 1, 2, 3], start: 1, period: 3 };
    let sequences = [one];
    let of = |weights: Tensor| {
        scores(&[weights.unsqueeze(1).unwrap()], &sequences).unwrap()[0][0]
    };
    let previous = of(looking_back(7, 1).unwrap());
    close(previous.previous, 1.0);
    close(previous.prefix, 0.0);
    close(previous.first, 1.0 / 6.0);
    let induction = of(looking_back(7, 2).unwrap()); // from 4 to 2, from 5 to 3, from 6 to 4
    close(induction.prefix, 1.0);
    close(induction.previous, 1.0 / 3.0); // of the second token, which can't look two back
    let same = of(looking_back(7, 3).unwrap());
    close(same.same, 1.0);
    close(same.prefix, 0.0);
    let uniform = uniform_scores(&sequences).unwrap();
    close(uniform.previous, (1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0) / 3.0); // of tokens 1 to 3
    close(uniform.prefix, (1.0 / 5.0 + 1.0 / 6.0 + 1.0 / 7.0) / 3.0);
    close(uniform.same, uniform.prefix);
    close(uniform.first, (2..=7).map(|n| 1.0 / f64::from(n)).sum::<f64>() / 6.0);

    // A token that stood twice in the copy has two places.
    let two = [Repeated { tokens: vec![1, 1, 2, 1, 1, 2], start: 0, period: 3 }];
    let all = uniform_scores(&two).unwrap();
    close(all.prefix, (2.0 / 4.0 + 3.0 / 5.0 + 1.0 / 6.0) / 3.0);
    let weights = looking_back(7, 1).unwrap().unsqueeze(1).unwrap();
    let nowhere = places(&sequences, |_, _, _| false).unwrap();
    let error = share(&weights, &nowhere).unwrap_err().to_string();
    assert_eq!(error, "places is 0: it must be at least 1 to look at");
}

/// Two heads of two layers by hand. The stream has four parts, one above the other: the token, the
/// position, the token before, and the answer.
fn circuit(vocabulary: usize, n: usize) -> AttentionOnly {
    let width = 3 * vocabulary + n;
    let (position, before, answer) = (vocabulary, vocabulary + n, 2 * vocabulary + n);
    // [rows, width], 1 where a cell is said to be.
    let table =
        |rows: usize, cells: &mut dyn Iterator<Item = (usize, usize)>, by: f32| {
            let mut values = vec![0_f32; rows * width];
            cells.for_each(|(row, column)| values[row * width + column] = by);
            Tensor::from_vec(values, (rows, width), &Device::Cpu).unwrap()
        };
    let square =
        |cells: &mut dyn Iterator<Item = (usize, usize)>, by| table(width, cells, by);
    let token = || 0..vocabulary;
    let sharp = 100.0 * (width as f32).sqrt();
    let previous = AttentionLayer {
        heads: 1,
        // Position t asks for t - 1, and each key says its own.
        query: square(&mut (1..n).map(|t| (t - 1, position + t)), sharp),
        key: square(&mut (0..n).map(|t| (t, position + t)), 1.0),
        value: square(&mut token().map(|i| (i, i)), 1.0),
        output: square(&mut token().map(|i| (before + i, i)), 1.0),
    };
    let induction = AttentionLayer {
        heads: 1,
        // The token asks for places whose token before is the same.
        query: square(&mut token().map(|i| (i, i)), sharp),
        key: square(&mut token().map(|i| (i, before + i)), 1.0),
        value: square(&mut token().map(|i| (i, i)), 1.0),
        output: square(&mut token().map(|i| (answer + i, i)), 1.0),
    };
    AttentionOnly {
        words: table(vocabulary, &mut token().map(|i| (i, i)), 1.0),
        positions: table(n, &mut (0..n).map(|t| (t, position + t)), 1.0),
        layers: vec![previous, induction],
        decoder: table(vocabulary, &mut token().map(|i| (i, answer + i)), 20.0),
    }
}

/// Sequences whose tokens differ within a copy and before it, so that there is one place to look.
fn distinct() -> Vec<Repeated> {
    (4..=8)
        .map(|period| {
            let start = 20 - 2 * period;
            let copy = (0..20_usize).map(|t| {
                let place = if t < start + period { t } else { t - period };
                u32::try_from((place * 7 + period) % 16).unwrap()
            });
            Repeated { tokens: copy.collect(), start, period }
        })
        .collect()
}

#[test]
fn two_heads_by_hand_are_the_circuit() {
    let (model, sequences) = (circuit(16, 20), distinct());
    let trace = model.forward(&tokens(&sequences), &[]).unwrap();
    let found = scores(&trace.weights, &sequences).unwrap();
    close(found[0][0].previous, 1.0);
    close(found[1][0].prefix, 1.0);
    let whole = losses(&trace.logits, &sequences).unwrap();
    assert!(whole.repeated < 1e-5, "{whole:?}");
    assert!(whole.first > 16_f64.ln(), "{whole:?}");
    close(copying(&model, head(1, 0)).unwrap(), 1.0);
    assert!(copying(&model, head(0, 0)).unwrap() < 0.1);

    // Without the second head nothing is left of the gain. Without the first, the second looks at
    // all alike, and misleads.
    let chance = 16_f64.ln();
    let found = Circuit::of(&model, &sequences).unwrap();
    assert_eq!(found.whole, whole);
    let singles = found.singles(Ablation::Zero).unwrap();
    assert!(singles[0].1 > 1.0, "{singles:?}");
    close(singles[1].1, 1.0);
    let without = found.without(&[head(1, 0)], Ablation::Zero).unwrap();
    close(without.repeated, chance);
    close(found.lost(&[head(1, 0)], Ablation::Zero).unwrap(), 1.0);
    let pairs = found.pairs(Ablation::Mean).unwrap();
    assert_eq!(pairs.len(), 1);

    // Two tokens back in place of one: the keys say another token, and the queries don't care.
    let pair = [head(0, 0), head(1, 0)];
    let seen = composition(&model, &sequences, pair, 2).unwrap();
    for (found, expected) in
        [(seen.whole, [0.0, 1.0, 0.0, 0.0]), (seen.queries, [0.0, 1.0, 0.0, 0.0])]
    {
        found
            .iter()
            .zip(expected)
            .for_each(|(&found, expected)| close(found, expected));
    }
    // The last token of a copy asks for a place that is still to come.
    assert!(seen.keys[1] < 0.05 && seen.keys[2] > 0.8, "{:?}", seen.keys);
    assert!(composition(&model, &sequences, [head(1, 0), head(1, 0)], 2).is_err());
}

#[test]
fn a_head_taken_out_finds_zeros_or_the_mean() {
    let (_, model) = draw(5, |vb| AttentionOnly::load(&vb, &recipe())).unwrap();
    let sequences = TASK.held_out(1, 6).unwrap();
    let tokens = tokens(&sequences);
    let whole = model.forward(&tokens, &[]).unwrap();
    // Zeros are the same as an output layer without the head's columns.
    let mut without = model.clone();
    let output = &model.layers[0].output; // [16, 16], of which head 1 has the last 8 columns
    let zeros = output.narrow(1, 8, 8).unwrap().zeros_like().unwrap();
    let kept = output.narrow(1, 0, 8).unwrap();
    without.layers[0].output = Tensor::cat(&[&kept, &zeros], 1).unwrap();
    let logits = without.forward(&tokens, &[]).unwrap().logits;
    let expected = losses(&logits, &sequences).unwrap();
    let circuit = Circuit::of(&model, &sequences).unwrap();
    let found = circuit.without(&[head(0, 1)], Ablation::Zero).unwrap();
    close(found.repeated, expected.repeated);
    close(found.first, expected.first);
    // What a head finds anyway changes nothing; the mean of six does, that of one doesn't.
    let same = whole.found[1].narrow(1, 0, 1).unwrap().squeeze(1).unwrap();
    let change = Change { head: head(1, 0), instead: Instead::Find(same) };
    let logits = model.forward(&tokens, &[change]).unwrap().logits;
    assert_eq!(flat(&logits), flat(&whole.logits));
    let mean = circuit.without(&[head(0, 1)], Ablation::Mean).unwrap();
    assert!((mean.repeated - found.repeated).abs() > 1e-4);
    let alone = &sequences[..1];
    let of_one = Circuit::of(&model, alone).unwrap();
    let of_one = of_one.without(&[head(0, 1)], Ablation::Mean).unwrap();
    let logits = model.forward(&tokens[..1], &[]).unwrap().logits;
    close(of_one.repeated, losses(&logits, alone).unwrap().repeated);
}

#[test]
fn a_training_learns_and_can_be_had_again() {
    let mut told = Vec::new();
    let run = train(&recipe(), |point| told.push(point.clone())).unwrap();
    assert_eq!(told, run.history);
    let steps: Vec<u64> = told.iter().map(|point| point.step).collect();
    assert_eq!(steps, [0, 20, 40, 60]);
    assert!(told[3].losses.first < told[0].losses.first);
    assert!(told[3].losses.repeated < told[0].losses.repeated);
    let again = train(&recipe(), |_| ()).unwrap();
    assert_eq!(again.history, run.history);
    let other = train(&Recipe { seed: 43, ..recipe() }, |_| ()).unwrap();
    assert_ne!(other.history, run.history);
    assert_eq!(run.previous_head().layer, 0);
    assert_eq!(run.induction_head().layer, 1);
    assert_eq!(run.model.attentions(&[1, 2, 3]).unwrap()[1].dims(), [2, 3, 3]);
}

#[test]
fn any_gpt_is_asked_and_its_first_token_hidden() {
    let config = generation::GptConfig {
        vocab_size: 12,
        n_positions: 21,
        n_embd: 16,
        n_layer: 3,
        n_head: 2,
        n_inner: 32,
        bos_token_id: None,
        eos_token_ids: vec![],
        ..generation::GptConfig::default()
    };
    let (_, model) = draw(2, |vb| Gpt::load(&vb, &config)).unwrap();
    let sequences: Vec<Repeated> =
        TASK.held_out(1, 4).unwrap().iter().map(|row| row.behind(0)).collect();
    let texts = tokens(&sequences);
    let attentions = gpt_attentions(&model, &texts).unwrap();
    let found = scores(&attentions, &sequences).unwrap();
    let uniform = uniform_scores(&sequences).unwrap();
    assert_eq!((found.len(), found[0].len()), (3, 2));
    // GPT-2's first weights are small: its heads look at all alike.
    assert!((found[0][0].prefix - uniform.prefix).abs() < 0.02);
    let control = gpt_attentions(&model, &TASK.unrepeated(1, &sequences)).unwrap();
    assert_eq!(scores(&control, &sequences).unwrap().len(), 3);
    let hidden = gpt_attentions_without_first(&model, &texts).unwrap();
    let without = scores(&hidden, &sequences).unwrap();
    for found in without.iter().flatten() {
        close(found.first, 0.0);
    }
    assert!(gpt_attentions(&model, &[vec![1, 2], vec![1]]).is_err());
    assert!(gpt_attentions_without_first(&model, &[vec![12]]).is_err());
}

#[test]
fn bad_input_has_its_one_clear_error() {
    let told = |recipe: Recipe| train(&recipe, |_| ()).unwrap_err().to_string();
    let task = |task: Task| told(Recipe { task, ..recipe() });
    assert_eq!(
        task(Task { longest: 11, ..TASK }),
        "longest is 11: it must be from 2 to 10"
    );
    assert_eq!(
        task(Task { shortest: 9, ..TASK }),
        "shortest is 9: it must be from 2 to 8"
    );
    assert!(task(Task { vocabulary: 1, ..TASK }).starts_with("vocabulary is 1"));
    assert_eq!(
        told(Recipe { layers: 0, ..recipe() }),
        "layers is 0: it must be from 1 to 16"
    );
    assert!(told(Recipe { heads: 3, ..recipe() }).starts_with("3 heads can't share"));
    assert!(told(Recipe { learning_rate: f64::NAN, ..recipe() }).contains("above 0"));
    let (_, model) = draw(5, |vb| AttentionOnly::load(&vb, &recipe())).unwrap();
    let told =
        |tokens: &[Vec<u32>]| model.forward(tokens, &[]).unwrap_err().to_string();
    assert!(told(&[]).starts_with("the prompt is empty"));
    assert!(told(&[vec![1, 12]]).starts_with("token 12 is not one of the model's 12"));
    assert!(told(&[vec![1; 21]]).starts_with("21 tokens, but the model has 20"));
    assert!(told(&[vec![1, 2], vec![1]]).starts_with("length is 1"));
    let sequences = TASK.held_out(1, 2).unwrap();
    let circuit = Circuit::of(&model, &sequences).unwrap();
    let error = circuit.without(&[head(2, 0)], Ablation::Zero);
    assert_eq!(
        error.unwrap_err().to_string(),
        "head is 2.0: it must be one of the model's, 0.0, 0.1, 1.0, 1.1"
    );
}
