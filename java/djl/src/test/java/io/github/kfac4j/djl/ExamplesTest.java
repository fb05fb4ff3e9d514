package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import io.github.kfac4j.options.KfacOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The programs in the package documentation, line by line. */
class ExamplesTest {
  private final DefaultTrainingConfig config = Nets.config(0.02f);
  private final Shape shape = Nets.IMAGES;

  @Test
  void easyTrain() throws IOException, TranslateException {
    try (Model model = Nets.model(Nets.cnn());
        NDManager manager = NDManager.newBaseManager()) {
      Dataset data = data(manager);
      // begin easy
      KfacOptions options = KfacOptions.DEFAULT.withDamping(0.03);
      try (DjlKfac kfac = DjlKfac.attach(model, options)) {
        config.addTrainingListeners(kfac);
        try (Trainer trainer = model.newTrainer(config)) {
          trainer.initialize(shape);
          EasyTrain.fit(trainer, 10, data, null);
        }
        // end easy
        assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(20);
      }
      assertThat(loss(model, data, manager)).isLessThan(0.3f);
    }
  }

  @Test
  void handWrittenLoop() throws IOException, TranslateException {
    try (Model model = Nets.model(Nets.cnn());
        NDManager manager = NDManager.newBaseManager();
        Trainer trainer = model.newTrainer(config)) {
      trainer.initialize(shape);
      Dataset data = data(manager);
      // begin loop
      KfacOptions options = KfacOptions.DEFAULT.withDamping(0.03);
      try (DjlKfac kfac = DjlKfac.attach(model, options)) {
        for (int epoch = 0; epoch < 10; epoch++) {
          for (Batch batch : trainer.iterateDataset(data)) {
            try (GradientCollector collector = trainer.newGradientCollector()) {
              NDList output = trainer.forward(batch.getData());
              NDArray loss = trainer.getLoss().evaluate(batch.getLabels(), output);
              collector.backward(loss);
            }
            kfac.precondition();
            trainer.step();
            batch.close();
          }
        }
      }
      // end loop
      assertThat(loss(model, data, manager)).isLessThan(0.3f);
    }
  }

  private static Dataset data(NDManager manager) {
    NDList first = Nets.images(manager, 1);
    NDList second = Nets.images(manager, 2);
    return new ArrayDataset.Builder()
        .setData(first.get(0).concat(second.get(0)))
        .optLabels(first.get(1).concat(second.get(1)))
        .setSampling(Nets.BATCH, false)
        .build();
  }

  private static float loss(Model model, Dataset data, NDManager manager)
      throws IOException, TranslateException {
    try (Trainer trainer = model.newTrainer(Nets.config(0))) {
      Batch batch = data.getData(manager).iterator().next();
      NDList output = trainer.evaluate(batch.getData());
      return trainer.getLoss().evaluate(batch.getLabels(), output).getFloat();
    }
  }

  /** What the documentation shows is what runs here. */
  @Test
  void documentationQuotesTheseTests() throws IOException {
    List<String> documentation =
        lines("src/main/java/io/github/kfac4j/djl/package-info.java").stream()
            .map(line -> line.replaceFirst("^\\*", ""))
            .map(String::strip)
            .toList();
    List<String> tests = lines("src/test/java/io/github/kfac4j/djl/ExamplesTest.java");
    for (String name : List.of("easy", "loop")) {
      List<String> example =
          tests
              .subList(tests.indexOf("// begin " + name) + 1, tests.indexOf("// end " + name))
              .stream()
              .map(String::strip)
              .toList();
      assertThat(example).hasSizeGreaterThan(5);
      assertThat(documentation).containsSequence(example);
    }
  }

  private static List<String> lines(String file) throws IOException {
    return Files.readAllLines(Path.of(file)).stream().map(String::strip).toList();
  }
}
