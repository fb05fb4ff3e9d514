package io.github.kfac4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.pytorch.jni.LibUtils;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cpu.CpuBackend;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.testkit.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** OpenBLAS and libtorch, which brings an MKL of its own, do not get in each other's way. */
class LibtorchTest {
  private static final int SIZE = 100;

  @Test
  void bitsOfLapackDoNotDependOnWhetherLibtorchCameFirst()
      throws IOException, InterruptedException {
    String lapackFirst = ChildJvm.run(LapackFirst.class, entry -> entry);
    String libtorchFirst = ChildJvm.run(LibtorchFirst.class, entry -> entry);
    assertThat(decomposition(libtorchFirst)).isEqualTo(decomposition(lapackFirst));
  }

  private static String decomposition(String output) {
    return output.lines().filter(l -> l.startsWith("decomposition ")).findFirst().orElseThrow();
  }

  @Test
  void aBackendThatOpensLeavesTheThreadsOfLibtorchAlone() {
    assertThat(Engine.getInstance().getEngineName()).isEqualTo("PyTorch");
    NativeLibrary libtorch = libtorch();
    int before = (int) libtorch.getFunction("MKL_Set_Num_Threads_Local").invoke(int.class, args(3));
    try {
      new CpuBackend(1).close();
      assertThat(libtorch.getFunction("MKL_Get_Max_Threads").invoke(int.class, args()))
          .isEqualTo(3);
    } finally {
      libtorch.getFunction("MKL_Set_Num_Threads_Local").invoke(int.class, args(before));
    }
  }

  private static NativeLibrary libtorch() {
    Path file = Path.of(LibUtils.getLibtorchPath()).resolve(System.mapLibraryName("torch_cpu"));
    int lazyAndLocal = 1;
    return NativeLibrary.getInstance(
        file.toString(), Map.of(Library.OPTION_OPEN_FLAGS, lazyAndLocal));
  }

  private static Object[] args(Object... values) {
    return values;
  }

  static final class LapackFirst {
    public static void main(String[] arguments) {
      decompose();
      train();
    }
  }

  static final class LibtorchFirst {
    public static void main(String[] arguments) {
      train();
      decompose();
    }
  }

  private static void train() {
    try (Model model = Model.newInstance("linear")) {
      model.setBlock(Linear.builder().setUnits(3).build());
      try (DjlKfac kfac = DjlKfac.attach(model, KfacOptions.DEFAULT);
          Trainer trainer = model.newTrainer(new DefaultTrainingConfig(Loss.l2Loss()))) {
        trainer.initialize(new Shape(8, 5));
        try (GradientCollector collector = trainer.newGradientCollector()) {
          NDArray input = trainer.getManager().ones(new Shape(8, 5));
          NDArray label = trainer.getManager().ones(new Shape(8, 3));
          NDList output = trainer.forward(new NDList(input));
          collector.backward(trainer.getLoss().evaluate(new NDList(label), output));
        }
        kfac.precondition();
      }
    }
  }

  private static void decompose() {
    double[] matrix = new double[SIZE * SIZE];
    Random random = new Random(5);
    for (int i = 0; i < SIZE; i++) {
      for (int j = 0; j <= i; j++) {
        matrix[i * SIZE + j] = matrix[j * SIZE + i] = random.nextGaussian();
      }
    }
    try (CpuBackend backend = new CpuBackend(1);
        MatrixStack source = backend.allocate(1, SIZE, SIZE);
        MatrixStack vectors = backend.allocateBasis(1, SIZE, SIZE);
        MatrixStack values = backend.allocateBasis(1, 1, SIZE)) {
      source.set(matrix);
      backend.decompose(List.of(new DecomposeRequest(source, 1, vectors, values)));
      System.out.println("decomposition " + Arrays.hashCode(vectors.toArray()));
    }
  }
}
