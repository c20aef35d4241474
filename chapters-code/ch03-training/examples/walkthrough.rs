//! The cells of chapter 3, in order: `cargo run -p ch03-training --example ch03-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines, clippy::wildcard_imports, clippy::manual_div_ceil)]

// ANCHOR: imports
use figures::LineChart;
use ndarray::{Array2, array};
use self_attention::softmax;
use training::bigram::*;
use training::loss::*;
use training::one_weight::*;
use training::reverse::*;
use training::{
    AdamW, AdamWOptions, DType, Device, Dropout, DropoutRng, Parameters, Tensor,
    TrainingError, Var,
};
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: first_answer
    let (x, target): (f64, f64) = (2.0, 3.0);
    let w: f64 = 0.5;
    println!("answer     {}", answer(w, x));
    println!("loss       {}", squared_error(w, x, target));
    println!("derivative {}", squared_error_derivative(w, x, target));
    // ANCHOR_END: first_answer

    // ANCHOR: nudges
    println!("      h   change / h   from both sides");
    for h in [0.1, 0.01, 0.001] {
        let [below, here, above] =
            [w - h, w, w + h].map(|w| squared_error(w, x, target));
        println!(
            "{h:7}   {:10.6}   {:15.6}",
            (above - here) / h,
            (above - below) / (2.0 * h)
        );
    }
    // ANCHOR_END: nudges

    // ANCHOR: steps
    let mut w: f64 = 0.5;
    for step in 0..6 {
        let loss = squared_error(w, x, target);
        let derivative = squared_error_derivative(w, x, target);
        println!("step {step}: w {w:.6}, loss {loss:.6}, derivative {derivative:9.6}");
        w -= 0.1 * derivative;
    }
    // ANCHOR_END: steps

    // ANCHOR: rates
    println!(" rate   w after 1      2      3     20 steps");
    for rate in [0.01, 0.1, 0.125, 0.2, 0.25, 0.26] {
        let mut w = 0.5;
        let mut path = Vec::new();
        for _ in 0..20 {
            w -= rate * squared_error_derivative(w, x, target);
            path.push(w);
        }
        println!(
            "{rate:5}     {:6.3} {:6.3} {:6.3}   {:8.3}",
            path[0], path[1], path[2], path[19]
        );
    }
    // ANCHOR_END: rates

    // ANCHOR: choice
    let logits: Array2<f64> = array![[2.0, 1.0, -1.0]]; // [1, 3]
    println!("e^z         {:.4}, sum {:.4}", logits.exp(), logits.exp().sum());
    println!("p           {:.4}", softmax(&logits));
    for right in 0..3 {
        println!("right {right}: loss {:.4}", cross_entropy(&logits, &[right])?);
    }
    // ANCHOR_END: choice

    // ANCHOR: p_minus_y
    println!("p − y          {:8.4}", cross_entropy_gradient(&logits, &[1])?);
    let h: f64 = 1e-5;
    let mut nudged: Array2<f64> = Array2::zeros((1, 3));
    for column in 0..3 {
        let [mut below, mut above] = [logits.clone(), logits.clone()];
        below[[0, column]] -= h;
        above[[0, column]] += h;
        let change = cross_entropy(&above, &[1])? - cross_entropy(&below, &[1])?;
        nudged[[0, column]] = change / (2.0 * h);
    }
    println!("from two sides {nudged:8.4}");
    // ANCHOR_END: p_minus_y

    // ANCHOR: letter_pairs
    let mut learn: Vec<&str> = vec![];
    let mut held_out: Vec<&str> = vec![];
    for (i, &word) in words().iter().enumerate() {
        if i % 5 == 4 { held_out.push(word) } else { learn.push(word) }
    }
    let few: Vec<&str> = learn.iter().copied().step_by(4).collect();
    for (name, words) in [("all", &learn), ("few", &few), ("held out", &held_out)] {
        let (count, pairs) = (words.len(), letter_pairs(words)?.len());
        println!("{name:8} {count:3} words, {pairs:4} pairs: {:?}…", &words[..4]);
    }
    // ANCHOR_END: letter_pairs

    // ANCHOR: first_steps
    let pairs: Vec<LetterPair> = letter_pairs(&learn)?;
    let mut bigram: Bigram = Bigram::new();
    println!("chance: ln 27 = {:.3}", 27_f64.ln());
    for step in 0..3 {
        println!("step {step}: loss {:.3}", bigram.step(&pairs[..32], 5.0)?);
    }
    // ANCHOR_END: first_steps

    // ANCHOR: epochs
    type Curve = Vec<(f64, f64)>; // epoch and loss
    /// Trains on `words`; the loss on them and on the held-out words, epoch by epoch.
    fn curves(words: &[&str], held_out: &[&str]) -> Result<[Curve; 2], TrainingError> {
        let [train, new] = [letter_pairs(words)?, letter_pairs(held_out)?];
        let mut bigram = Bigram::new();
        let mut curves = [Curve::new(), Curve::new()];
        for epoch in 0..=100 {
            curves[0].push((epoch as f64, bigram.loss(&train)?));
            curves[1].push((epoch as f64, bigram.loss(&new)?));
            bigram.epoch(&train, 32, 5.0, epoch)?;
        }
        Ok(curves)
    }
    let of_few: [Curve; 2] = curves(&few, &held_out)?;
    let of_all: [Curve; 2] = curves(&learn, &held_out)?;
    println!("         {} words             {} words", few.len(), learn.len());
    println!("epoch    learned  held out    learned  held out");
    for epoch in [0, 1, 2, 5, 10, 20, 40, 60, 80, 100] {
        let [a, b, c, d] = [&of_few[0], &of_few[1], &of_all[0], &of_all[1]]
            .map(|curve| curve[epoch].1);
        println!("{epoch:5}    {a:7.3}  {b:8.3}    {c:7.3}  {d:8.3}");
    }
    // ANCHOR_END: epochs

    // ANCHOR: epochs_chart
    LineChart::new()
        .title(("Que letra vem depois", "Which letter comes next"))
        .x_title(("época", "epoch"))
        .y_title(("loss (nats por letra)", "loss (nats a letter)"))
        .series(("84 palavras: estudadas", "84 words: learned"), &of_few[0])
        .series(("84 palavras: guardadas", "84 words: held out"), &of_few[1])
        .series(("334 palavras: estudadas", "334 words: learned"), &of_all[0])
        .series(("334 palavras: guardadas", "334 words: held out"), &of_all[1])
        .draw()?
        .show()?;
    // ANCHOR_END: epochs_chart

    // ANCHOR: controls
    let new: Vec<LetterPair> = letter_pairs(&held_out)?;
    println!("                learned  held out");
    for (name, model) in [
        ("any letter", Bigram::new()),
        ("its frequency", Bigram::frequencies(&pairs)),
        ("pairs counted", Bigram::counted(&pairs, 0.0)),
        ("  and 0.1 more", Bigram::counted(&pairs, 0.1)),
    ] {
        println!("{name:14}  {:7.3}  {:8.3}", model.loss(&pairs)?, model.loss(&new)?);
    }
    for words in [&few, &learn] {
        let seen = letter_pairs(words)?;
        let unseen = new.iter().filter(|pair| !seen.contains(pair)).count();
        let (count, all) = (words.len(), new.len());
        println!("{unseen:2} of {all} held-out pairs are in none of {count} words");
    }
    // ANCHOR_END: controls

    // ANCHOR: likeliest
    for epoch in 0..100 {
        bigram.epoch(&pairs, 32, 5.0, epoch)?;
    }
    for letter in ['q', 'l', 'o'] {
        let next: Vec<String> = (bigram.likeliest(letter, 3).iter())
            .map(|(next, p)| format!("{next} {:.0} %", 100.0 * p))
            .collect();
        println!("after {letter}: {}", next.join(", "));
    }
    // ANCHOR_END: likeliest

    // ANCHOR: autograd
    let z: Var = Var::new(&[2.0_f64, 1.0, -1.0], &Device::Cpu)?; // [3]
    let loss: Tensor = (z.exp()?.sum_all()?.log()? - z.get(1)?)?; // −ln p of column 1
    let found: Vec<f64> = match loss.backward()?.get(&z) {
        Some(gradient) => gradient.to_vec1()?,
        None => vec![],
    };
    println!("loss {:.4}, gradient {found:.4?}", loss.to_scalar::<f64>()?);
    // ANCHOR_END: autograd

    // ANCHOR: steep
    /// 100 (a − 1)² + 0.01 (b − 1)²: a's slope is 10 000 times as steep as b's.
    fn steep_and_flat(weights: &Tensor) -> Result<Tensor, TrainingError> {
        let slopes = Tensor::new(&[100.0_f32, 0.01], &Device::Cpu)?;
        Ok(((weights - 1.0)?.sqr()? * slopes)?.sum_all()?)
    }
    let plain: Var = Var::zeros(2, DType::F32, &Device::Cpu)?;
    let adamw: Var = Var::zeros(2, DType::F32, &Device::Cpu)?;
    let parameters: Parameters =
        [("ab".to_owned(), adamw.clone())].into_iter().collect();
    let mut optimizer: AdamW = AdamW::new(&parameters, AdamWOptions::default())?;
    for step in 0..=300 {
        if step % 100 == 0 {
            let [plain, adamw]: [Vec<f32>; 2] = [plain.to_vec1()?, adamw.to_vec1()?];
            println!("step {step:3}: gradient descent {plain:.3?}, AdamW {adamw:.3?}");
        }
        let gradients = steep_and_flat(&plain)?.backward()?;
        if let Some(gradient) = gradients.get(&plain) {
            plain.set(&(plain.as_tensor() - (gradient * 0.005)?)?)?;
        }
        let gradients = steep_and_flat(&adamw)?.backward()?;
        optimizer.step(&parameters, &gradients, 0.02, 1.0)?; // times 1: not clipped
    }
    // ANCHOR_END: steep

    // ANCHOR: dropout
    let ones: Tensor = Tensor::ones(12, DType::F32, &Device::Cpu)?;
    let dropout: Dropout = Dropout::new(0.25)?;
    for seed in 1..4 {
        let kept: Vec<f32> =
            dropout.forward(&ones, Some(&DropoutRng::seed(seed)))?.to_vec1()?;
        println!("{kept:.2?}");
    }
    println!("answering: {:.2?}", dropout.forward(&ones, None)?.to_vec1::<f32>()?);
    // ANCHOR_END: dropout

    // ANCHOR: new_reverser
    let options: ReverserOptions = ReverserOptions::default();
    let untrained: ReverserTraining = ReverserTraining::new(options)?;
    let before: Reverser = untrained.snapshot()?;
    println!("{} numbers to learn", untrained.parameters());
    println!("rate up to {}, in {} steps", options.learning_rate, options.warmup);
    println!("cabide → {}", before.greedy(&["cabide"])?[0]);
    // ANCHOR_END: new_reverser

    // ANCHOR: strings
    println!("step 0 trains on {:?}", training_strings(42, 0, 3));
    println!("step 1 trains on {:?}", training_strings(42, 1, 3));
    println!("held out:        {:?}", held_out_strings(43, 3));
    // ANCHOR_END: strings

    // ANCHOR: before
    let title: (&str, &str) =
        ("Atenção cruzada antes do treino", "Cross-attention before training");
    attention_figure(&before, "cabide", title)?.show()?;
    // ANCHOR_END: before

    // ANCHOR: train_reverser
    // The same seed: the same weights as before.
    let mut reverser: ReverserTraining = ReverserTraining::new(options)?;
    let held_out: Vec<String> = held_out_strings(43, 200);
    let mut history: History = History::default();
    for tenth in 1..=10 {
        let mut loss = 0.0;
        for _ in 0..200 {
            loss += reverser.step()? / 200.0;
        }
        let (step, exact) =
            (200.0 * f64::from(tenth), reverser.model.accuracy(&held_out)?);
        println!("step {step:4}: loss {loss:.3}, reversed {:.1} %", 100.0 * exact);
        history.loss.push((step, loss));
        history.exact.push((step, exact));
    }
    // ANCHOR_END: train_reverser

    // ANCHOR: new_strings
    let new_strings: Vec<String> = held_out_strings(44, 1000);
    let exact: f64 = reverser.model.accuracy(&new_strings)?;
    println!("of {} new strings reversed: {:.1} %", new_strings.len(), 100.0 * exact);
    println!("cabide → {}", reverser.model.greedy(&["cabide"])?[0]);
    // ANCHOR_END: new_strings

    // ANCHOR: after
    let title: (&str, &str) =
        ("Atenção cruzada depois do treino", "Cross-attention after training");
    attention_figure(&reverser.model, "cabide", title)?.show()?;
    // ANCHOR_END: after

    // ANCHOR: anti_diagonal
    for (name, model) in [("before", &before), ("after", &reverser.model)] {
        let shares = model.anti_diagonal(&new_strings[..100])?;
        println!("{name:>6}: head 0 {:.2}, head 1 {:.2}", shares[0][0], shares[0][1]);
    }
    // ANCHOR_END: anti_diagonal

    // ANCHOR: reverser_history
    history.figure()?.show()?;
    // ANCHOR_END: reverser_history

    // ANCHOR: longer
    let lengths: [usize; 5] = [3, 4, 13, 14, 16];
    println!("            reversed  letters right");
    for length in lengths {
        let strings = strings_of(length, 45, 200)?;
        let exact = 100.0 * reverser.model.accuracy(&strings)?;
        let letters = 100.0 * reverser.model.letters_right(&strings)?;
        println!("{length:2} letters:  {exact:6.1} %  {letters:11.1} %");
    }
    // ANCHOR_END: longer

    // ANCHOR: longer_attention
    println!("            head 0  head 1");
    for length in lengths {
        let strings = strings_of(length, 45, 200)?;
        let heads = &reverser.model.anti_diagonal(&strings)?[0];
        println!("{length:2} letters:  {:6.2}  {:6.2}", heads[0], heads[1]);
    }
    // ANCHOR_END: longer_attention

    // ANCHOR: other_seeds
    let seeds: Vec<SeedRecord> = SeedRecord::recorded()?;
    println!("{} seeds     strings reversed            letters right", seeds.len());
    println!("             lowest  median  highest     lowest  median  highest");
    for i in 0..seeds[0].lengths.len() {
        print!("{:2} letters", seeds[0].lengths[i].length);
        let measures: [fn(LengthRecord) -> f64; 2] = [|of| of.exact, |of| of.letters];
        for measure in measures {
            let shares = seeds.iter().map(|of| 100.0 * measure(of.lengths[i]));
            let mut shares: Vec<f64> = shares.collect();
            shares.sort_by(f64::total_cmp);
            let last = shares.len() - 1;
            let median = f64::midpoint(shares[last / 2], shares[(last + 1) / 2]);
            print!("     {:5.1}  {median:6.1}  {:7.1}", shares[0], shares[last]);
        }
        println!();
    }
    // ANCHOR_END: other_seeds
    Ok(())
}
