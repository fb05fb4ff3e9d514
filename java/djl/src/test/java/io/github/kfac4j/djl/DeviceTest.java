package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Model;
import ai.djl.modality.nlp.DefaultVocabulary;
import ai.djl.modality.nlp.embedding.TrainableWordEmbedding;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.training.Trainer;
import com.sun.jna.Function;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.cuda.CudaBackend;
import io.github.kfac4j.cuda.CudaLibrary;
import io.github.kfac4j.cuda.DeviceTensor;
import io.github.kfac4j.cuda.RequiresCuda;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Arrays by device pointer. On the stand-ins for CUDA, which take DJL's memory on the CPU for
 * memory that the GPU reaches.
 */
@RequiresCuda
class DeviceTest {
  private static final int HOST_TO_DEVICE = 1;
  private static final int DEVICE_TO_HOST = 2;
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.1).withIntervals(1, 1).withoutKlClip();

  /** On the default stream, where DJL works. */
  private static Placement everything(Backend backend) {
    return new Placement(array -> true, device -> ((CudaBackend) backend).await(0));
  }

  @BeforeEach
  void emulated() {
    assumeTrue(Boolean.getBoolean(CudaLibrary.EMULATION), "needs the stand-ins for CUDA");
  }

  @Test
  void arraysAreTakenWhereTheyAre() {
    try (NDManager manager = NDManager.newBaseManager()) {
      NDArray x = manager.create(new float[] {1, 2, 3, 4, 5, 6}, new Shape(2, 3));
      DeviceArray own = new DeviceArray(x, true);
      assertThat(((DeviceTensor) own.tensor()).type()).isEqualTo(DeviceTensor.Type.F32);
      x.addi(1);
      assertThat(read(own)).containsExactly(2, 3, 4, 5, 6, 7);

      DeviceArray turned = new DeviceArray(x.transpose(), true);
      assertThat(read(turned)).containsExactly(2, 5, 3, 6, 4, 7);
      DeviceArray half = new DeviceArray(x.toType(DataType.FLOAT16, true), false);
      assertThat(((DeviceTensor) half.tensor()).type()).isEqualTo(DeviceTensor.Type.F16);
      DeviceArray wide = new DeviceArray(x.toType(DataType.FLOAT16, true), true);
      assertThat(read(wide)).containsExactly(2, 3, 4, 5, 6, 7);
    }
  }

  @Test
  void copiesAreStored() {
    try (NDManager manager = NDManager.newBaseManager();
        Backend backend = Backends.require("cuda")) {
      NDArray base = manager.create(new float[] {1, 2, 3, 4, 5, 6}, new Shape(2, 3));
      NDArray half = base.toType(DataType.FLOAT16, true);
      for (NDArray array : List.of(base.transpose(), half)) {
        DeviceArray view = new DeviceArray(array, true);
        backend.scale(List.of(view.tensor()), 2);
        view.store();
      }
      assertThat(base.toFloatArray()).containsExactly(2, 4, 6, 8, 10, 12);
      assertThat(half.toType(DataType.FLOAT32, true).toFloatArray())
          .containsExactly(2, 4, 6, 8, 10, 12);
    }
  }

  private static double[] read(DeviceArray array) {
    try (Backend backend = Backends.require("cuda")) {
      int size = (int) array.tensor().shape().size();
      double[] largest = new double[size];
      for (int i = 0; i < size; i++) {
        // of one element alone
        long at = Torch.address((PtNDArray) array.data()) + 4L * i;
        largest[i] = backend.largest(List.of(DeviceTensor.of(at, DeviceTensor.Type.F32, 1)))[0];
      }
      return largest;
    }
  }

  /** A convolution, a normalisation and dense layers. */
  private static Block images() {
    return new SequentialBlock()
        .add(Conv2d.builder().setKernelShape(new Shape(5, 5)).setFilters(2).build())
        .add(BatchNorm.builder().build())
        .add(Activation::relu)
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(4).build())
        .add(Linear.builder().setUnits(Nets.CLASSES).build());
  }

  /** A table, and a dense layer at each of its positions. */
  private static Block words() {
    DefaultVocabulary vocabulary = new DefaultVocabulary(List.of("a", "b", "c", "d", "e", "f"));
    return new SequentialBlock()
        .add(TrainableWordEmbedding.builder().setVocabulary(vocabulary).setEmbeddingSize(3).build())
        .add(Linear.builder().setUnits(2).build())
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(Nets.CLASSES).build());
  }

  private static NDList sentences(NDManager manager, long seed) {
    long[] ids = new SplittableRandom(seed).longs(24, 0, 6).toArray();
    return new NDList(
        manager.create(ids, new Shape(8, 3)),
        manager.create(new float[] {0, 1, 2, 0, 1, 2, 0, 1}, new Shape(8)));
  }

  private static Map<String, float[]> train(Block block, Fisher fisher, boolean onDevice) {
    boolean text = block.getChildren().get(0).getValue() instanceof TrainableWordEmbedding;
    try (Backend backend = Backends.require("cuda");
        Model model = Nets.model(block);
        DjlKfac kfac =
            DjlKfac.attach(
                model, OPTIONS, fisher, backend, onDevice ? everything(backend) : Placement.HOST);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(text ? new Shape(8, 3) : Nets.IMAGES);
      for (int step = 0; step < 2; step++) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
          Nets.pass(trainer, text ? sentences(batch, step) : Nets.images(batch, step));
          kfac.precondition();
          trainer.step();
        }
      }
      return Nets.weights(model);
    }
  }

  private static void requireSame(Map<String, float[]> a, Map<String, float[]> b) {
    a.forEach((name, w) -> assertThat(b.get(name)).as(name).isEqualTo(w));
  }

  /** The same numbers, on another way. */
  @Test
  void trainingIsThatOfHostMemory() {
    requireSame(
        train(images(), Fisher.monteCarlo(1), false), train(images(), Fisher.monteCarlo(1), true));
    requireSame(train(words(), Fisher.EMPIRICAL, false), train(words(), Fisher.EMPIRICAL, true));
  }

  /** No array goes to the host or comes from there: what is copied are norms and reports. */
  @Test
  void steadyStepsTransferNoArrays() {
    long[] few = transfers(8);
    long[] many = transfers(32);
    assertThat(many[0]).as("bytes to the device").isZero();
    assertThat(many[1]).as("bytes to the host").isEqualTo(few[1]).isLessThan(1000);
  }

  /** Bytes to the device and back in the second of two steps, of batches of a size. */
  private static long[] transfers(int examples) {
    Block block =
        new SequentialBlock()
            .add(Conv2d.builder().setKernelShape(new Shape(5, 5)).setFilters(2).build())
            .add(Blocks.batchFlattenBlock())
            .add(Linear.builder().setUnits(Nets.CLASSES).build());
    try (Backend backend = Backends.require("cuda");
        Model model = Nets.model(block);
        DjlKfac kfac =
            DjlKfac.attach(
                model,
                OPTIONS.withIntervals(1, 10),
                Fisher.EMPIRICAL,
                backend,
                everything(backend));
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(Nets.IMAGES);
      long[] before = new long[3];
      for (int step = 0; step < 2; step++) {
        before = new long[] {0, copied(HOST_TO_DEVICE), copied(DEVICE_TO_HOST)};
        try (NDManager batch = trainer.getManager().newSubManager()) {
          NDList all = Nets.images(batch, step);
          String part = ":" + examples;
          Nets.pass(trainer, new NDList(all.get(0).get(part), all.get(1).get(part)));
          kfac.precondition();
          trainer.step();
        }
      }
      return new long[] {copied(HOST_TO_DEVICE) - before[1], copied(DEVICE_TO_HOST) - before[2]};
    }
  }

  /** What the stand-in has copied so far. */
  private static long copied(int kind) {
    String runtime =
        Path.of(System.getProperty("org.bytedeco.javacpp.platform.linkpath"), "libcudart.so.13")
            .toString();
    return Function.getFunction(runtime, "kfac_fake_copied").invokeLong(new Object[] {kind});
  }
}
