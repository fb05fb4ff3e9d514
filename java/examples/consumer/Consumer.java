import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.options.KfacOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Some steps, after which libkfac_cpu must be in the process. */
public class Consumer {
  public static void main(String[] args) throws IOException {
    try (Model model = Model.newInstance("consumer")) {
      model.setBlock(
          new SequentialBlock()
              .add(Linear.builder().setUnits(64).build())
              .add(Activation::relu)
              .add(Linear.builder().setUnits(10).build()));
      DefaultTrainingConfig config = new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss());
      try (DjlKfac kfac = DjlKfac.attach(model, KfacOptions.DEFAULT);
          Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(new Shape(32, 64));
        for (int step = 0; step < 3; step++) {
          step(trainer, kfac);
        }
      }
    }
    boolean found =
        Files.readAllLines(Path.of("/proc/self/maps")).stream()
            .anyMatch(line -> line.contains("libkfac_cpu"));
    System.out.println(found ? "native backend" : "no native backend");
    System.exit(found ? 0 : 1);
  }

  private static void step(Trainer trainer, DjlKfac kfac) {
    try (NDManager batch = trainer.getManager().newSubManager()) {
      NDArray x = batch.randomNormal(new Shape(32, 64));
      NDList labels = new NDList(x.argMax(1).mod(10));
      try (GradientCollector collector = trainer.newGradientCollector()) {
        collector.backward(trainer.getLoss().evaluate(labels, trainer.forward(new NDList(x))));
      }
      kfac.precondition();
      trainer.step();
    }
  }
}
