//! The cells of chapter 9, in order: `cargo run -p ch09-generation --example
//! ch09-walkthrough`.

// The imports serve all cells.
#![allow(unused_imports, clippy::items_after_statements, clippy::too_many_lines)]

// ANCHOR: imports
use std::time::Instant;

use attention_views::{HeadView, Stack};
use figures::{Heatmap, HeatmapGrid, LineChart};
use generation::filter::{log_probabilities, probabilities};
use generation::generate::next_logits;
use generation::induction;
use generation::induction::{
    Ablation, Circuit, Composition, Head, HeadScores, Losses, Repeated, Task,
};
use generation::measures::{Measures, Speed, Training};
use generation::packed::PackedCache;
use generation::{BeamOptions, Cache, Decoder, Filters, GenerateOptions, GptConfig};
use generation::{Guess, Hypothesis, PackedGpt, Pretrained, beam_search, left_padded};
use hub::{HubOptions, ModelFolder, resolve};
use ndarray::{Array2, Array4, s};
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: model
    let folder: ModelFolder = resolve("papagaio", &HubOptions::from_env())?;
    let papagaio: Pretrained = Pretrained::load(&folder)?;
    let config: GptConfig = papagaio.config.clone();
    let (layers, heads): (usize, usize) = (config.n_layer, config.n_head);
    println!("{layers} layers of {heads} heads, d_model {}", config.n_embd);
    println!("{} tokens, {} positions", config.vocab_size, config.n_positions);
    println!("{:.2} million weights", papagaio.model.weights() as f64 / 1e6);
    // ANCHOR_END: model

    // ANCHOR: tokens
    for text in ["<|pt|>O gato sentou no tapete.", "coração", "🦜"] {
        let ids = papagaio.tokenizer.encode(text)?;
        let tokens = papagaio.tokenizer.tokens(&ids)?;
        println!("{tokens:?}\n   back: {:?}", papagaio.tokenizer.decode(&ids)?);
    }
    // ANCHOR_END: tokens

    // ANCHOR: places
    fn print_places(papagaio: &Pretrained, text: &str) -> generation::Result<()> {
        let (mut nats, mut guesses) = (0.0, 0);
        for place in papagaio.places(text)? {
            let Guess { token, probability } = &place.likeliest;
            let likeliest = format!("{token:?}");
            let read = format!("{:?}", place.token);
            print!("{read:>15} → {likeliest:<12}{:5.1} %", 100.0 * probability);
            if let Some(came) = place.came {
                let cost = -came.probability.ln();
                let token = format!("{:?}", came.token);
                print!("   {token:<12}{:5.1} %  {cost:6.3}", 100.0 * came.probability);
                (nats, guesses) = (nats + cost, guesses + 1);
            }
            println!();
        }
        println!("mean of {guesses} guesses: {:.3} nats", nats / f64::from(guesses));
        Ok(())
    }
    print_places(&papagaio, "<|pt|>O gato sentou no tapete.")?;
    // ANCHOR_END: places

    // ANCHOR: causal
    let ids: Vec<u32> = papagaio.tokenizer.encode("<|pt|>O gato sentou no tapete.")?;
    let mut changed: Vec<u32> = ids.clone();
    let last: usize = ids.len() - 1;
    changed[last] = ids[2]; // another token in the last place
    let before: Vec<Vec<f32>> = papagaio.logits(&ids)?;
    let after: Vec<Vec<f32>> = papagaio.logits(&changed)?;
    for (i, (before, after)) in before.iter().zip(&after).enumerate() {
        let pairs = before.iter().zip(after);
        let differ = pairs.filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        println!("place {i}: {differ} of {} logits differ", before.len());
    }
    // ANCHOR_END: causal

    // ANCHOR: guesses
    const PROMPT: &str = "<|pt|>Eu gosto de";
    let all: Filters = Filters::default();
    for Guess { token, probability } in papagaio.guesses(PROMPT, &all, 8)? {
        println!("{:5.2} %  {token:?}", 100.0 * probability);
    }
    // ANCHOR_END: guesses

    // ANCHOR: greedy
    let sentence: GenerateOptions = GenerateOptions {
        max_new_tokens: 40,
        ends: vec![0, 1, 2], // the end of a text, and the two languages' marks
        ..GenerateOptions::default()
    };
    for prompt in [PROMPT, "<|pt|>O presidente", "<|en|>I like", "<|en|>The film"] {
        println!("{prompt}|{}", papagaio.go_on(prompt, &sentence)?);
    }
    // ANCHOR_END: greedy

    // ANCHOR: temperatures
    let likely: Vec<Guess> = papagaio.guesses(PROMPT, &all, 8)?;
    let temperatures: [f32; 3] = [0.5, 1.0, 2.0];
    let mut shares: Array2<f64> = Array2::zeros((likely.len(), temperatures.len()));
    for (column, &temperature) in temperatures.iter().enumerate() {
        let filters = Filters { temperature, ..all };
        let found = papagaio.guesses(PROMPT, &filters, likely.len())?;
        for (row, guess) in found.iter().enumerate() {
            shares[[row, column]] = 100.0 * guess.probability;
        }
    }
    Heatmap::new(&shares)
        .title(("Probabilidade, em %", "Probability, in %"))
        .row_labels(likely.iter().map(|guess| format!("{:?}", guess.token)))
        .column_labels(temperatures.map(|temperature| format!("T = {temperature}")))
        .row_title(("próximo token", "next token"))
        .column_title(("temperatura", "temperature"))
        .digits(2)
        .draw()?
        .show()?;
    // ANCHOR_END: temperatures

    // ANCHOR: filters
    let few: usize = config.vocab_size;
    for prompt in ["<|pt|>Eu gosto de", "<|pt|>no Rio de"] {
        println!("{prompt}");
        for (name, filters) in [
            ("all", all),
            ("top-k, k = 20", Filters { top_k: Some(20), ..all }),
            ("top-p, p = 0.8", Filters { top_p: Some(0.8), ..all }),
            ("min-p, p = 0.1", Filters { min_p: Some(0.1), ..all }),
        ] {
            let left = papagaio.guesses(prompt, &filters, few)?;
            let first = &left[0];
            let share = 100.0 * first.probability;
            println!(
                "   {name:<15}{:5} left, {share:5.1} % {:?}",
                left.len(),
                first.token
            );
        }
    }
    // ANCHOR_END: filters

    // ANCHOR: samples
    for (name, filters) in [
        ("T = 1", all),
        ("T = 1, top-p 0.8", Filters { top_p: Some(0.8), ..all }),
        ("T = 0.5", Filters { temperature: 0.5, ..all }),
    ] {
        println!("{name}");
        for seed in 1..=4 {
            let options =
                GenerateOptions { filters, seed: Some(seed), ..sentence.clone() };
            println!("   {PROMPT}|{}", papagaio.go_on(PROMPT, &options)?);
        }
    }
    // ANCHOR_END: samples

    // ANCHOR: beams
    fn print_beams(
        papagaio: &Pretrained,
        english: &str,
        ends: &[u32],
    ) -> generation::Result<()> {
        let prompt = papagaio.tokenizer.encode(&format!("<|en|>{english}<|pt|>"))?;
        for beams in [1, 2, 4] {
            let options =
                BeamOptions { beams, ends: ends.to_vec(), ..BeamOptions::default() };
            let found = beam_search(&papagaio.model, &prompt, &options)?;
            let Hypothesis { ids, score } = &found[0]; // the best
            let total = papagaio.log_probability(&prompt, ids)?;
            let text = papagaio.tokenizer.decode(ids)?;
            println!("{beams:4} beams: ln p = {total:6.2}  score {score:6.3}  {text}");
        }
        Ok(())
    }
    print_beams(&papagaio, "She is writing a letter.", &sentence.ends)?;
    // ANCHOR_END: beams

    // ANCHOR: beams_of_cat
    print_beams(&papagaio, "The cat sat on the mat.", &sentence.ends)?;
    // ANCHOR_END: beams_of_cat

    // ANCHOR: cached
    let ids: Vec<u32> = papagaio.tokenizer.encode("<|pt|>O gato sentou no tapete.")?;
    let whole: Vec<f32> = next_logits(&papagaio.model, &ids, &mut Cache::new())?;
    let mut cache: Cache = Cache::new();
    let mut one_by_one: Vec<f32> = Vec::new();
    for &id in &ids {
        one_by_one = next_logits(&papagaio.model, &[id], &mut cache)?;
    }
    let difference: f32 = (whole.iter().zip(&one_by_one))
        .fold(0.0, |most, (a, b)| f32::max(most, (a - b).abs()));
    println!("{} tokens in the cache, {difference:.0e}", cache.len());
    // ANCHOR_END: cached

    // ANCHOR: timed
    /// How long the model takes for what comes after these tokens, in milliseconds.
    fn time_token(
        papagaio: &Pretrained,
        ids: &[u32],
        cache: &mut Cache,
    ) -> generation::Result<f64> {
        let start = Instant::now();
        next_logits(&papagaio.model, ids, cache)?;
        Ok(1e3 * start.elapsed().as_secs_f64())
    }
    let text: String = format!("<|pt|>{}", "O gato sentou no tapete. ".repeat(7));
    let text: Vec<u32> = papagaio.tokenizer.encode(&text)?;
    let mut cache: Cache = Cache::new();
    let mut with: Vec<(f64, f64)> = Vec::new();
    let mut without: Vec<(f64, f64)> = Vec::new();
    for tokens in text.chunks_exact(8) {
        next_logits(&papagaio.model, &tokens[..7], &mut cache)?; // not timed
        let before: usize = cache.len();
        let ms: f64 = time_token(&papagaio, &tokens[7..], &mut cache)?;
        with.push((before as f64, ms));
        let all: &[u32] = &text[..=before];
        let ms: f64 = time_token(&papagaio, all, &mut Cache::new())?;
        without.push((before as f64, ms));
    }
    LineChart::new()
        .title(("O tempo de um token", "The time of a token"))
        .x_title(("tokens antes dele", "tokens before it"))
        .y_title("ms")
        .series(("sem cache", "without a cache"), &without)
        .series(("com cache", "with a cache"), &with)
        .draw()?
        .show()?;
    // ANCHOR_END: timed

    // ANCHOR: packed
    let packed: PackedGpt = PackedGpt::pack(&papagaio.model)?;
    let fast: Vec<f32> = packed.next_logits(&ids, &mut PackedCache::default())?;
    let difference: f32 = (whole.iter().zip(&fast))
        .fold(0.0, |most, (a, b)| f32::max(most, (a - b).abs()));
    println!("the largest difference of {} logits: {difference:.0e}", fast.len());
    // ANCHOR_END: packed

    // ANCHOR: speeds
    let measures: Measures = Measures::of_the_book()?;
    println!("                  tokens a second, after    first token   memory");
    println!("                    16 tokens  256 tokens            ms      MiB");
    for Speed { program, after_16, after_256, first_token, peak_mib } in
        &measures.speeds.programs
    {
        print!("{program:<15} {after_16:13.0} {after_256:11.0}");
        println!("  {first_token:12.0} {peak_mib:8.0}");
    }
    let after_16: f64 = measures.speeds.lead(|speed| speed.after_16);
    let after_256: f64 = measures.speeds.lead(|speed| speed.after_256);
    println!("packed / best other {after_16:9.2} {after_256:11.2}");
    // ANCHOR_END: speeds

    // ANCHOR: task
    let task: Task = induction::Recipe::default().task;
    for Repeated { tokens, start, period } in task.held_out(1, 3)? {
        println!("from {start}, period {period}: {:?}", &tokens[..start + period + 5]);
    }
    // ANCHOR_END: task

    // ANCHOR: train
    let recipe: induction::Recipe = induction::Recipe::default();
    let two: induction::Run = induction::train(&recipe, |_| ())?;
    let one: induction::Run =
        induction::train(&induction::Recipe { layers: 1, ..recipe }, |_| ())?;
    let chance: f64 = (task.vocabulary as f64).ln();
    println!("chance: {chance:.3} nats");
    for (name, run) in [("one layer", &one), ("two layers", &two)] {
        let point = run.last().cloned().ok_or("no history")?;
        let Losses { first, repeated } = point.losses;
        println!("{name:<11} first copy {first:.3}, repeated {repeated:.3}");
    }
    // ANCHOR_END: train

    // ANCHOR: cliff
    fn over_steps(
        run: &induction::Run,
        of: impl Fn(&induction::Point) -> f64,
    ) -> Vec<(f64, f64)> {
        run.history.iter().map(|point| (point.step as f64, of(point))).collect()
    }
    LineChart::new()
        .title(("A loss onde o texto se repete", "The loss where the text repeats"))
        .x_title(("passo", "step"))
        .y_title("nats")
        .series(
            ("uma camada", "one layer"),
            &over_steps(&one, |point| point.losses.repeated),
        )
        .series(
            ("duas camadas", "two layers"),
            &over_steps(&two, |point| point.losses.repeated),
        )
        .dashed_series(("acaso", "chance"), &over_steps(&two, |_| chance))
        .draw()?
        .show()?;
    // ANCHOR_END: cliff

    // ANCHOR: scores
    fn print_scores(scores: &[Vec<HeadScores>]) {
        for (layer, heads) in scores.iter().enumerate() {
            for (head, HeadScores { previous, prefix, same, .. }) in
                heads.iter().enumerate()
            {
                println!("{layer}.{head}  {previous:8.3}  {prefix:6.3}  {same:10.3}");
            }
        }
    }
    let held_out: Vec<Repeated> = recipe.held_out(256)?;
    let even: HeadScores = induction::uniform_scores(&held_out)?;
    println!("head  previous  prefix  same token");
    println!("even  {:8.3}  {:6.3}  {:10.3}", even.previous, even.prefix, even.same);
    print_scores(&two.last().ok_or("no history")?.scores);
    println!("one layer");
    print_scores(&one.last().ok_or("no history")?.scores);
    // ANCHOR_END: scores

    // ANCHOR: born
    let previous: Head = two.previous_head();
    let inducing: Head = two.induction_head();
    LineChart::new()
        .title(("Dois heads nascem", "Two heads are born"))
        .x_title(("passo", "step"))
        .y_title(("parte da atenção", "share of attention"))
        .series(
            (
                format!("{previous}: token anterior"),
                format!("{previous}: previous token"),
            ),
            &over_steps(&two, |point| {
                point.scores[previous.layer][previous.head].previous
            }),
        )
        .series(
            (format!("{inducing}: prefixo"), format!("{inducing}: prefix")),
            &over_steps(&two, |point| {
                point.scores[inducing.layer][inducing.head].prefix
            }),
        )
        .draw()?
        .show()?;
    // ANCHOR_END: born

    // ANCHOR: maps
    let sequence: Repeated = (held_out.iter())
        .find(|row| row.start >= 8 && row.start + 2 * row.period <= 28)
        .cloned()
        .ok_or("no sequence")?;
    let weights: Vec<candle_core::Tensor> = two.model.attentions(&sequence.tokens)?;
    let shown: usize = (sequence.start + 2 * sequence.period + 2).min(30);
    let names: Vec<String> =
        sequence.tokens[..shown].iter().map(u32::to_string).collect();
    fn panel(
        head: Head,
        weights: &[candle_core::Tensor],
        names: &[String],
    ) -> Result<Heatmap, Box<dyn std::error::Error>> {
        let map: Vec<Vec<f32>> = weights[head.layer].get(head.head)?.to_vec2()?; // [n, n]
        let n = names.len();
        let map = Array2::from_shape_fn((n, n), |(i, j)| f64::from(map[i][j]));
        Ok(Heatmap::new(&map)
            .title(format!("head {head}"))
            .row_labels(names)
            .column_labels(names)
            .annotate(false)
            .range(0.0, 1.0))
    }
    HeatmapGrid::of([
        panel(previous, &weights, &names)?,
        panel(inducing, &weights, &names)?,
    ])
    .columns(1)
    .title((
        format!("Repete-se a cada {} tokens", sequence.period),
        format!("It repeats every {} tokens", sequence.period),
    ))
    .draw()?
    .show()?;
    // ANCHOR_END: maps

    // ANCHOR: ablate
    let circuit: Circuit = Circuit::of(&two.model, &held_out[..24])?;
    for ablation in [Ablation::Zero, Ablation::Mean] {
        println!("{ablation:?}");
        for (head, share) in circuit.singles(ablation)? {
            println!(
                "   without {head:<11} {:6.1} % of the gain is lost",
                100.0 * share
            );
        }
        for ([a, b], share) in circuit.pairs(ablation)? {
            println!("   without {a} and {b} {:6.1} %", 100.0 * share);
        }
    }
    // ANCHOR_END: ablate

    // ANCHOR: composed
    let found: Composition =
        induction::composition(&two.model, &held_out[..24], [previous, inducing], 2)?;
    println!("from the copy     on it  1 after  2 after  3 after");
    for (name, row) in [
        ("as it is", found.whole),
        ("changed keys", found.keys),
        ("changed queries", found.queries),
    ] {
        let row: Vec<String> = row.iter().map(|share| format!("{share:7.3}")).collect();
        println!("{name:<16}{}", row.join("  "));
    }
    // ANCHOR_END: composed

    // ANCHOR: seeds
    let record: induction::Record = induction::Record::of_the_book()?;
    println!("seed  1 layer  2 layers  previous  prefix  without   other pairs");
    for seed in &record.seeds {
        let last = seed.two_layers.last().ok_or("no history")?;
        let of = |head: Head| last.scores[head.layer][head.head];
        let pair = [seed.previous, seed.induction];
        let without =
            |head: Head| seed.mean.singles.iter().find(|(one, _)| *one == head);
        let lost =
            pair.map(|head| without(head).map_or(0.0, |(_, share)| 100.0 * share));
        let others = (seed.mean.pairs.iter())
            .filter(|(two, _)| !two.contains(&pair[0]) && !two.contains(&pair[1]))
            .fold(0.0, |most: f64, (_, share)| most.max(100.0 * share));
        println!(
            "{:4}  {:7.3}  {:8.3}  {:8.3}  {:6.3}  {:3.0} {:3.0} %  {others:9.0} %",
            seed.seed,
            seed.losses[0].repeated,
            seed.losses[1].repeated,
            of(pair[0]).previous,
            of(pair[1]).prefix,
            lost[0],
            lost[1],
        );
    }
    // ANCHOR_END: seeds

    // ANCHOR: measures
    let training: Training = measures.training.clone();
    let (steps, planned): (u64, u64) = (training.steps, training.recipe.steps);
    let a_step: u64 = (training.recipe.batch * training.recipe.positions) as u64;
    let tokens: f64 = (steps * a_step) as f64;
    let epochs: f64 = tokens / training.tokens_in_epoch as f64;
    println!("{steps} of {planned} steps, {:.1} million tokens", tokens / 1e6);
    println!("{epochs:.2} epochs");
    LineChart::new()
        .title(("O treino do papagaio", "Training papagaio"))
        .x_title(("passo", "step"))
        .y_title("loss (nats)")
        .series(("lotes de treino", "training batches"), &training.loss)
        .draw()?
        .show()?;
    // ANCHOR_END: measures

    // ANCHOR: bits
    let english: f64 = measures.five_grams.english.bits_per_byte;
    let portuguese: f64 = measures.five_grams.portuguese.bits_per_byte;
    println!("bits per byte       papagaio  5-grams");
    for (name, guesses, five_grams) in [
        ("English", measures.guesses.english, english),
        ("Portuguese", measures.guesses.portuguese, portuguese),
    ] {
        let (bits, sentences) = (guesses.bits_per_byte, guesses.sentences);
        println!("{name:<11} {sentences:5}    {bits:8.3}  {five_grams:7.3}");
    }
    let on_the_way: [Vec<(f64, f64)>; 2] =
        [training.bits.english.clone(), training.bits.portuguese.clone()];
    for i in 1..on_the_way[0].len() {
        let (from, to) = (on_the_way[0][i - 1].0, on_the_way[0][i].0);
        let [english, portuguese] =
            [0, 1].map(|of| on_the_way[of][i - 1].1 - on_the_way[of][i].1);
        println!("steps {from} to {to}: gained {english:.3} and {portuguese:.3}");
    }
    let ends: [f64; 2] = [training.bits.english[0].0, steps as f64];
    LineChart::new()
        .title(("Quanto custa um byte", "What a byte costs"))
        .x_title(("passo", "step"))
        .y_title("bits")
        .series(("inglês", "English"), &training.bits.english)
        .series(("português", "Portuguese"), &training.bits.portuguese)
        .dashed_series(
            ("5-gramas, inglês", "5-grams, English"),
            &ends.map(|step| (step, english)),
        )
        .dashed_series(
            ("5-gramas, português", "5-grams, Portuguese"),
            &ends.map(|step| (step, portuguese)),
        )
        .draw()?
        .show()?;
    // ANCHOR_END: bits

    // ANCHOR: translated
    for prompt in [
        "<|en|>The cat sat on the mat.<|pt|>",
        "<|en|>Where is my book?<|pt|>",
        "<|en|>I don't know what to say.<|pt|>",
        "<|pt|>O gato dormiu na cama.<|en|>",
        "<|pt|>Não quero falar com ele.<|en|>",
        "<|pt|>Você gosta de café?<|en|>",
    ] {
        println!("{prompt}{}", papagaio.go_on(prompt, &sentence)?);
    }
    // ANCHOR_END: translated

    // ANCHOR: chrf
    println!("chrF                papagaio  dictionary  difference, 95 %");
    for (name, chrf) in [
        ("to Portuguese", measures.translations.to_portuguese),
        ("to English", measures.translations.to_english),
    ] {
        let (low, high) = (chrf.difference_low, chrf.difference_high);
        println!(
            "{name:<14} {:4} {:8.1}  {:10.1}  {low:+.1} to {high:+.1}",
            chrf.sentences, chrf.papagaio, chrf.word_by_word
        );
    }
    // ANCHOR_END: chrf

    // ANCHOR: head_view
    let text: &str = "<|en|>The cat sat on the mat.<|pt|>O gato sentou no tapete.";
    let ids: Vec<u32> = papagaio.tokenizer.encode(text)?;
    let tokens: Vec<String> = papagaio.tokenizer.tokens(&ids)?;
    let weights: Array4<f32> = papagaio.attentions(&ids)?; // [layers, heads, n, n]
    let n: usize = ids.len();
    let stack: Stack =
        Stack::new([layers, heads, n, n], weights.iter().copied().collect())?;
    HeadView::new(&stack, &tokens)?.layer(layers - 1).show()?;
    // ANCHOR_END: head_view

    // ANCHOR: in_papagaio
    let task: Task =
        Task { vocabulary: config.vocab_size, length: 64, shortest: 16, longest: 24 };
    let random: Vec<Repeated> = (task.held_out(42, 12)?.iter())
        .map(|sequence| sequence.behind(0)) // each begins a text
        .collect();
    let texts: Vec<Vec<u32>> = random.iter().map(|row| row.tokens.clone()).collect();
    let attentions: Vec<candle_core::Tensor> =
        induction::gpt_attentions(&papagaio.model, &texts)?;
    let scores: Vec<Vec<HeadScores>> = induction::scores(&attentions, &random)?;
    fn map(scores: &[Vec<HeadScores>], of: impl Fn(&HeadScores) -> f64) -> Array2<f64> {
        let shape = (scores.len(), scores[0].len());
        Array2::from_shape_fn(shape, |(layer, head)| of(&scores[layer][head]))
    }
    HeatmapGrid::of(
        [
            (("token anterior", "previous token"), map(&scores, |of| of.previous)),
            (("prefixo", "prefix"), map(&scores, |of| of.prefix)),
            (("primeiro token", "first token"), map(&scores, |of| of.first)),
        ]
        .map(|(title, values)| {
            Heatmap::new(&values)
                .title(title)
                .row_title(("camada", "layer"))
                .column_title("head")
                .range(0.0, 1.0)
                .digits(2)
        }),
    )
    .columns(1)
    .title(("Os heads do papagaio", "papagaio's heads"))
    .draw()?
    .show()?;
    // ANCHOR_END: in_papagaio

    // ANCHOR: in_papagaio_control
    fn best(
        scores: &[Vec<HeadScores>],
        of: impl Fn(&HeadScores) -> f64,
    ) -> (Head, f64) {
        let mut best = (Head { layer: 0, head: 0 }, 0.0);
        for (layer, heads) in scores.iter().enumerate() {
            for (head, scores) in heads.iter().enumerate() {
                if of(scores) > best.1 {
                    best = (Head { layer, head }, of(scores));
                }
            }
        }
        best
    }
    let fresh: Vec<Vec<u32>> = (task.unrepeated(7, &random).iter())
        .map(|row| [&[0], &row[1..]].concat()) // the first token as before
        .collect();
    let control: Vec<Vec<HeadScores>> = induction::scores(
        &induction::gpt_attentions(&papagaio.model, &fresh)?,
        &random,
    )?;
    let even: HeadScores = induction::uniform_scores(&random)?;
    for (name, scores) in [("repeated", &scores), ("not repeated", &control)] {
        let (previous, by_previous) = best(scores, |of| of.previous);
        let (prefix, by_prefix) = best(scores, |of| of.prefix);
        print!("{name:<13} previous token {previous} {by_previous:.3}");
        println!("  prefix {prefix} {by_prefix:.3}");
    }
    println!(
        "looking alike  previous token {:.3}      prefix {:.3}",
        even.previous, even.prefix
    );
    // ANCHOR_END: in_papagaio_control

    // ANCHOR: sink
    let hidden: Vec<candle_core::Tensor> =
        induction::gpt_attentions_without_first(&papagaio.model, &texts)?;
    let sink: Head = best(&scores, |of| of.first).0;
    let alike: f64 =
        (32..65).map(|query| 1.0 / f64::from(query + 1)).sum::<f64>() / 33.0;
    println!("even, from query 32 on: {alike:.3}");
    for (name, attentions) in [("seen", &attentions), ("hidden", &hidden)] {
        let head = attentions[sink.layer].narrow(1, sink.head, 1)?.squeeze(1)?;
        let late = head.narrow(1, 32, head.dim(1)? - 32)?; // [batch, queries, n]
        let shares: Vec<f32> = late.mean((0, 1))?.to_vec1()?; // [n]
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        print!("first token {name}: head {sink} gives it {:.3}, most to", shares[0]);
        for &place in &order[..3] {
            print!("  {place} ({:.3})", shares[place]);
        }
        println!();
    }
    // ANCHOR_END: sink

    // ANCHOR: recited
    println!("                       texts  whole  longest  3 words  5 words  8 words");
    for (language, recitals) in [
        ("English", &measures.recitals.english),
        ("Portuguese", &measures.recitals.portuguese),
    ] {
        for (who, of) in
            [("papagaio", &recitals.papagaio), ("held out", &recitals.held_out)]
        {
            let share = |n: usize| 100.0 * of.found.get(&n).copied().unwrap_or(0.0);
            println!(
                "{language:<11}{who:<9}{:7}  {:4.1}%  {:7.1}  {:6.1}%  {:6.1}%  {:6.1}%",
                of.texts,
                100.0 * of.whole,
                of.longest_mean,
                share(3),
                share(5),
                share(8),
            );
        }
        println!("   longest: {:?}", recitals.papagaio.longest);
    }
    // ANCHOR_END: recited
    Ok(())
}
