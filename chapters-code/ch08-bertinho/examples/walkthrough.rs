//! The cells of chapter 8, in order: `cargo run -p ch08-bertinho --example ch08-walkthrough`.

#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use bertinho::batches::*;
use bertinho::evaluate::*;
use bertinho::fill::*;
use bertinho::finetune::*;
use bertinho::heads::*;
use bertinho::history::*;
use bertinho::learner::*;
use bertinho::masking::*;
use bertinho::naive_bayes::*;
use bertinho::nouns::*;
use bertinho::pretrain::*;
use bertinho::wordpiece::*;
use bertinho::{Corpus, CorpusReport, Pair, sample_folder};
use figures::{Heatmap, HeatmapGrid, LineChart};
use hub::{HubOptions, ModelFolder, resolve};
use ndarray::Array2;
use sentiment::statistics::{sign_test, wilson};
use tokenizers::Tokenizer;
use training::parameters;
use training::random::*;
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: corpus
    let corpus: Corpus = Corpus::read(&sample_folder())?;
    let report: CorpusReport = corpus.report;
    println!("English    {}", report.english);
    println!("Portuguese {}", report.portuguese);
    println!("pairs      {}", report.pairs);
    println!("to learn from: {:?}", corpus.pairs.train[0].english);
    println!("held out:      {:?}", corpus.pairs.held_out[0].english);
    // ANCHOR_END: corpus

    // ANCHOR: vocabulary
    fn pieces_of(tokenizer: &Tokenizer, text: &str) -> bertinho::Result<String> {
        Ok(tokenizer.encode(text, true)?.get_tokens().join(" "))
    }
    const SENTENCE: &str = "O gato sentou no tapete e o cachorro correu.";
    for vocab_size in [100, 200, 400] {
        let options =
            WordPieceOptions { vocab_size, min_character: 1, min_frequency: 2 };
        let tokenizer = everyday_vocabulary(&corpus, options)?;
        println!("{vocab_size}: {}\n", pieces_of(&tokenizer, SENTENCE)?);
    }
    // ANCHOR_END: vocabulary

    // ANCHOR: bertinho
    let folder: ModelFolder = resolve("bertinho", &HubOptions::from_env())?;
    let bertinho: MaskedModel = MaskedModel::load(&folder)?;
    let tokenizer: Tokenizer = read_tokenizer(&folder.path.join("tokenizer.json"))?;
    println!(
        "{}: {}",
        tokenizer.get_vocab_size(true),
        pieces_of(&tokenizer, SENTENCE)?
    );
    // ANCHOR_END: bertinho

    // ANCHOR: sequence
    let pair: Sequence =
        both_orders(&tokenizer, &corpus.pairs.train[..1], 64)?[0][0].clone();
    let names: Vec<String> = (pair.ids.iter())
        .map(|&id| tokenizer.id_to_token(id).unwrap_or_default())
        .collect();
    println!("{}", names.join(" "));
    println!("token types {:?}", pair.token_types());
    // ANCHOR_END: sequence

    // ANCHOR: mask
    let masking: Masking = Masking::bert(10_240);
    for seed in 0..4 {
        let mut random = generator(seed, Purpose::Masking, 0);
        let masked: MaskedBatch = masking.apply(&[&pair], &mut random)?;
        let shown: Vec<String> = (masked.inputs.ids().iter())
            .map(|&id| tokenizer.id_to_token(id).unwrap_or_default())
            .collect();
        let asked: Vec<&str> = (masked.positions.iter())
            .map(|&place| names[place as usize].as_str())
            .collect();
        println!("{}\n   asked: {asked:?}", shown.join(" "));
    }
    // ANCHOR_END: mask

    // ANCHOR: mask_shares
    fn count_shown(masking: &Masking, sequences: &[Sequence]) -> bertinho::Result<()> {
        let rows: Vec<&Sequence> = sequences.iter().collect();
        let mut random = generator(42, Purpose::Masking, 0);
        let batch = masking.apply(&rows, &mut random)?;
        let pieces: usize = rows.iter().map(|row| row.len() - 3).sum(); // of pairs
        let (mut hidden, mut kept) = (0, 0);
        for (&place, &label) in batch.positions.iter().zip(&batch.labels) {
            let shown = batch.inputs.ids()[place as usize];
            hidden += usize::from(shown == MASK);
            kept += usize::from(shown == label);
        }
        let asked = batch.labels.len();
        let rate = |part: usize, of: usize| 100.0 * part as f64 / of as f64;
        println!("asked: {asked} of {pieces} pieces, {:.1} %", rate(asked, pieces));
        println!("   hidden   {:.1} %", rate(hidden, asked));
        println!("   replaced {:.1} %", rate(asked - hidden - kept, asked));
        println!("   kept     {:.1} %", rate(kept, asked));
        Ok(())
    }
    count_shown(&masking, &both_orders(&tokenizer, &corpus.pairs.train, 64)?.concat())?;
    // ANCHOR_END: mask_shares

    // ANCHOR: small_recipe
    let small: Recipe = Recipe {
        hidden_size: 48,
        heads: 4,
        intermediate_size: 96,
        positions: 64,
        stages: vec![
            Stage { layers: 1, steps: 60, learning_rate: 5e-3, mixture: None },
            Stage { layers: 2, steps: 60, learning_rate: 3e-3, mixture: None },
        ],
        warmup: 10,
        batch_tokens: 1000,
        ..Recipe::default()
    };
    let options: WordPieceOptions =
        WordPieceOptions { vocab_size: 400, min_character: 1, min_frequency: 2 };
    let words: Tokenizer = everyday_vocabulary(&corpus, options)?;
    let size: usize = words.get_vocab_size(true);
    println!("{size} pieces; a guess at random costs {:.2} nats", (size as f64).ln());
    // ANCHOR_END: small_recipe

    // ANCHOR: small_training
    fn train(
        recipe: &Recipe,
        words: &Tokenizer,
        corpus: &Corpus,
        stop: &[u64],
        every: u64,
    ) -> Result<parameters::Tensors, Box<dyn std::error::Error>> {
        let folder = std::env::temp_dir().join(format!("ch08-{}", stop.len()));
        std::fs::create_dir_all(&folder)?;
        let size = words.get_vocab_size(true);
        let sequences = |mixture| training_sequences(words, corpus, mixture, 64);
        let mut training =
            Pretraining::begin(recipe.clone(), &sequences, size, &fast, &folder)?;
        let mut observe = |step: Step, _: &Pretraining| {
            if every > 0 && (step.step == 1 || step.step.is_multiple_of(every)) {
                println!(
                    "step {}, {} layers: loss {:.2}",
                    step.step, step.layers, step.loss
                );
            }
            Ok(())
        };
        for &stop in stop {
            let go = AtomicBool::new(false);
            training.run(Some(stop), 1000, &go, &mut observe)?; // saves a checkpoint
            training = Pretraining::resume(recipe, &sequences, size, &fast, &folder)?;
        }
        Ok(training.learner().weights()?)
    }
    let whole: parameters::Tensors = train(&small, &words, &corpus, &[120], 20)?;
    // ANCHOR_END: small_training

    // ANCHOR: resumed
    let resumed: parameters::Tensors =
        train(&small, &words, &corpus, &[25, 70, 120], 0)?;
    let mut differences: usize = 0;
    for (name, tensor) in &whole {
        let [a, b]: [Vec<f32>; 2] =
            [tensor.flatten_all()?.to_vec1()?, resumed[name].flatten_all()?.to_vec1()?];
        differences +=
            a.iter().zip(&b).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    }
    println!("{} tensors, {differences} numbers differ", whole.len());
    // ANCHOR_END: resumed

    // ANCHOR: schedule
    let recipe: Recipe = Recipe::default();
    let mut state: TrainState = TrainState::beginning(recipe.clone(), 10_240);
    let mut rates: Vec<(f64, f64)> = Vec::new();
    let mut step: u64 = 0;
    for (stage, Stage { layers, steps, learning_rate, .. }) in
        recipe.stages.iter().enumerate()
    {
        println!("{steps} steps with {layers:2} layers, up to {learning_rate}");
        state.stage = stage;
        for done in (0..*steps).step_by(50) {
            state.stage_steps = done;
            rates.push(((step + done) as f64, 1000.0 * state.learning_rate()));
        }
        step += steps;
    }
    // ANCHOR_END: schedule

    // ANCHOR: schedule_figure
    LineChart::new()
        .title((
            "Taxa de aprendizado do treino longo",
            "Learning rate of the long training",
        ))
        .x_title(("passo", "step"))
        .y_title(("taxa × 1000", "rate × 1000"))
        .series(("taxa de aprendizado", "learning rate"), &rates)
        .draw()?
        .show()?;
    // ANCHOR_END: schedule_figure

    // ANCHOR: history
    let history: History = History::of_the_book()?;
    LineChart::new()
        .title(("O pré-treino do bertinho", "Pre-training bertinho"))
        .x_title(("passo", "step"))
        .y_title("loss (nats)")
        .series(("lotes de treino", "training batches"), &history.loss)
        .draw()?
        .show()?;
    // ANCHOR_END: history

    // ANCHOR: accuracies
    let english: Vec<(f64, f64)> =
        history.over_steps(|point| 100.0 * point.accuracy.english.model);
    let portuguese: Vec<(f64, f64)> =
        history.over_steps(|point| 100.0 * point.accuracy.portuguese.model);
    let beside: Vec<(f64, f64)> =
        history.over_steps(|point| 100.0 * point.accuracy.beside.model);
    LineChart::new()
        .title(("Pedaços adivinhados na validação", "Held-out pieces guessed"))
        .x_title(("passo", "step"))
        .y_title("%")
        .series(("com a tradução ao lado", "translation beside"), &beside)
        .series(("só inglês", "English alone"), &english)
        .series(("só português", "Portuguese alone"), &portuguese)
        .draw()?
        .show()?;
    // ANCHOR_END: accuracies

    // ANCHOR: final_accuracies
    let last: HistoryPoint = history.points[history.points.len() - 1].clone();
    println!(
        "after {} steps, {:.1} million tokens",
        last.step,
        last.tokens as f64 / 1e6
    );
    println!("{:24} {:>6} {:>8} {:>8}", "", "hidden", "bertinho", "unigram");
    for (name, Accuracy { hidden, model, unigram }) in [
        ("English alone", last.accuracy.english),
        ("Portuguese alone", last.accuracy.portuguese),
        ("English, pt beside", last.accuracy.english_beside),
        ("Portuguese, en beside", last.accuracy.portuguese_beside),
        ("both, beside", last.accuracy.beside),
    ] {
        let (model, unigram) = (100.0 * model, 100.0 * unigram);
        println!("{name:24} {hidden:6} {model:6.1} % {unigram:6.1} %");
    }
    // ANCHOR_END: final_accuracies

    // ANCHOR: birth
    fn best_of(history: &History, kind: &str) -> Vec<(f64, f64)> {
        history.over_steps(|point| 100.0 * point.specialists[kind].rate)
    }
    let translator: Vec<(f64, f64)> =
        history.over_steps(|point| 100.0 * point.translator.rate);
    LineChart::new()
        .title(("O melhor head de cada tipo", "The best head of each kind"))
        .x_title(("passo", "step"))
        .y_title("%")
        .series(("tradução", "translation"), &translator)
        .series(("anterior", "previous"), &best_of(&history, "previous"))
        .series(("seguinte", "next"), &best_of(&history, "next"))
        .series("[CLS]", &best_of(&history, "cls"))
        .series("[SEP]", &best_of(&history, "sep"))
        .draw()?
        .show()?;
    // ANCHOR_END: birth

    // ANCHOR: birth_numbers
    println!("  step  layers  translation   head  previous    next   [CLS]   [SEP]");
    for point in &history.points {
        let last = history.points.last().map(|point| point.step);
        let rare = point.step > 3000 && !point.step.is_multiple_of(2000);
        if rare && Some(point.step) != last {
            continue;
        }
        let Specialist { layer, head, rate } = point.translator;
        println!(
            "{:6}  {:6}  {:9.1} %  {:>5}  {:6.1} %  {:4.1} %  {:4.1} %  {:4.1} %",
            point.step,
            point.entropies.len(),
            100.0 * rate,
            format!("{layer}·{head}"),
            100.0 * point.specialists["previous"].rate,
            100.0 * point.specialists["next"].rate,
            100.0 * point.specialists["cls"].rate,
            100.0 * point.specialists["sep"].rate,
        );
    }
    // ANCHOR_END: birth_numbers

    // ANCHOR: entropies
    fn map(point: &HistoryPoint) -> Array2<f64> {
        let (layers, heads) = (point.entropies.len(), point.entropies[0].len());
        Array2::from_shape_fn((layers, heads), |(layer, head)| {
            point.entropies[layer][head]
        })
    }
    fn panel(point: &HistoryPoint) -> Heatmap {
        Heatmap::new(&map(point))
            .title((format!("passo {}", point.step), format!("step {}", point.step)))
            .row_title(("camada", "layer"))
            .column_title("head")
            .range(0.0, 4.0)
            .digits(1)
    }
    let shown: [u64; 4] = [250, 1000, 2000, 4000];
    HeatmapGrid::of(
        (history.points.iter()).filter(|point| shown.contains(&point.step)).map(panel),
    )
    .columns(1)
    .title(("Entropia de cada head, em bits", "Entropy of each head, in bits"))
    .draw()?
    .show()?;
    // ANCHOR_END: entropies

    // ANCHOR: final_entropies
    Heatmap::new(&map(&last))
        .title((
            "Entropia de cada head do bertinho, em bits",
            "Entropy of each head of bertinho, in bits",
        ))
        .row_title(("camada", "layer"))
        .column_title("head")
        .range(0.0, 4.0)
        .digits(1)
        .draw()?
        .show()?;
    // ANCHOR_END: final_entropies

    // ANCHOR: translators
    fn nouns_of(
        tokenizer: &hub::Tokenizer,
        pairs: &[Pair],
    ) -> sentiment::Result<Vec<NounPair>> {
        let texts: Vec<(&str, &str)> = (pairs.iter())
            .map(|pair| (pair.english.as_str(), pair.portuguese.as_str()))
            .collect();
        find_nouns(tokenizer, &texts, &NOUNS)
    }
    let half: Vec<Pair> = corpus.pairs.train.iter().step_by(2).cloned().collect();
    let nouns: Vec<NounPair> = nouns_of(&bertinho.model.tokenizer, &half)?;
    let heads: Vec<TranslationHead> =
        translation_heads(&bertinho.model.encoder, &nouns)?;
    println!("{} nouns in {} pairs", nouns.len(), half.len());
    println!("layer  head   en → pt   pt → en");
    let median: TranslationHead = heads[heads.len() / 2];
    for TranslationHead { layer, head, to_portuguese, to_english } in
        heads[..6].iter().chain([&median])
    {
        let (there, back) = (100.0 * to_portuguese.overall, 100.0 * to_english.overall);
        println!("{layer:5}  {head:4}  {there:6.1} %  {back:6.1} %");
    }
    let blind: f64 = nouns.iter().map(|pair| 1.0 / pair.text.len() as f64).sum::<f64>();
    println!("blindly      {0:6.1} %  {0:6.1} %", 100.0 * blind / nouns.len() as f64);
    // ANCHOR_END: translators

    // ANCHOR: translator_figure
    let seen: Attentions = Attentions::of(
        &bertinho.model,
        "The cat slept on the rug.",
        Some("O gato dormiu no tapete."),
        hub::Truncate::Error,
    )?;
    let best: TranslationHead = heads[0];
    let weights: Array2<f64> = seen.head(best.layer, best.head)?; // [n, n]
    Heatmap::new(&weights)
        .row_labels(&seen.tokens)
        .column_labels(&seen.tokens)
        .title((
            format!("Camada {}, head {}", best.layer, best.head),
            format!("Layer {}, head {}", best.layer, best.head),
        ))
        .row_title("query")
        .column_title("key")
        .range(0.0, 1.0)
        .annotate(false)
        .draw()?
        .show()?;
    // ANCHOR_END: translator_figure

    // ANCHOR: fill_alone
    for text in [
        "O [MASK] sentou no tapete.",
        "The [MASK] sat on the mat.",
        "I want to drink a glass of [MASK].",
        "Eu quero beber um copo de [MASK].",
    ] {
        println!("{text}");
        for Guess { piece, probability } in fill(&bertinho, text, None, 4)? {
            let (rate, nats) = (100.0 * probability, -probability.ln());
            println!("   {rate:5.1} %  {nats:.3} nats  {piece}");
        }
    }
    // ANCHOR_END: fill_alone

    // ANCHOR: fill_beside
    for (text, beside) in [
        ("O [MASK] sentou no tapete.", "The cat sat on the mat."),
        ("O [MASK] sentou no tapete.", "The dog sat on the mat."),
        ("The [MASK] sat on the mat.", "O gato sentou no tapete."),
    ] {
        println!("{text} | {beside}");
        for Guess { piece, probability } in fill(&bertinho, text, Some(beside), 2)? {
            let (rate, nats) = (100.0 * probability, -probability.ln());
            println!("   {rate:5.1} %  {nats:.3} nats  {piece}");
        }
    }
    // ANCHOR_END: fill_beside

    // ANCHOR: finetuned
    let finetuned: Finetuned = Finetuned::of_the_book()?;
    println!("epochs            {}", finetuned.options.epochs);
    println!("its own reviews   {:.1} %", 100.0 * finetuned.train);
    println!("held-out reviews  {:.1} %", 100.0 * finetuned.held_out);
    println!("naive Bayes       {:.1} %", 100.0 * finetuned.naive_bayes);
    let two: Agreement = finetuned.agreement;
    println!("right: both {}, neither {}", two.both, two.neither);
    println!("   only bertinho-sentiment {}", two.only_classifier);
    println!("   only naive Bayes        {}", two.only_naive_bayes);
    /// By how many points the classifier is ahead of naive Bayes, with the 95 % interval
    /// (a sentence that both get right, or wrong, counts 0), and the sign test.
    fn ahead(two: Agreement) -> String {
        let (won, lost) = (two.only_classifier as f64, two.only_naive_bayes as f64);
        let n = won + lost + (two.both + two.neither) as f64;
        let mean = (won - lost) / n;
        let variance = (won + lost) / n - mean * mean;
        let (points, half) = (100.0 * mean, 196.0 * (variance / n).sqrt());
        let p = sign_test(two.only_classifier, two.only_naive_bayes);
        format!("ahead by {points:.1} ± {half:.1} points; a fair coin: p = {p:.2}")
    }
    println!("{}", ahead(two));
    for (text, positive) in &finetuned.positive_probability {
        println!("{:5.1} % praise: {text}", 100.0 * positive);
    }
    // ANCHOR_END: finetuned

    // ANCHOR: from_random
    let random: Finetuned = Finetuned::from_random()?;
    println!("begun with   its own reviews   held-out reviews");
    for (start, run) in [("bertinho", &finetuned), ("random", &random)] {
        let Agreement { both, only_classifier, only_naive_bayes, neither } =
            run.agreement;
        let right = both + only_classifier;
        let (low, high) = wilson(right, right + only_naive_bayes + neither);
        let [own, held_out, low, high] =
            [run.train, run.held_out, low, high].map(|share| 100.0 * share);
        print!("{start:<11} {own:15.1} % {held_out:16.1} %");
        println!("  ({low:.1} to {high:.1})");
    }
    println!("random, and naive Bayes: {}", ahead(random.agreement));
    // ANCHOR_END: from_random
    Ok(())
}
