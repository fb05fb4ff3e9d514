package io.github.kfac4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.dataset.DataSet;

/** Models that are saved, at whatever point, have nothing of K-FAC in them. */
class SavingTest {
  private static byte[] file(MultiLayerNetwork net) {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try {
      ModelSerializer.writeModel(net, file, true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file.toByteArray();
  }

  private static Object copy(Serializable object) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(object);
      return new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
    } catch (IOException | ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  static Stream<Arguments> networks() {
    return Stream.of(
        Arguments.of(Nets.cnn(Nets.settings()), Nets.images(1)),
        Arguments.of(
            RecurrentLayersTest.network(RNNFormat.NCW, rnn -> rnn),
            ObservedLayersTest.sequences(false)));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void inTheMiddleOfAPass(MultiLayerConfiguration configuration, DataSet data) throws IOException {
    MultiLayerNetwork net = Nets.init(configuration);
    List<byte[]> files = new ArrayList<>();
    List<MultiLayerConfiguration> copies = new ArrayList<>();
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS)) {
      net.addListeners(kfac);
      net.addListeners(
          new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model model) {
              assertThat(net.getLayer(0).conf().toString()).doesNotContain("Tapped");
              files.add(file(net));
              copies.add((MultiLayerConfiguration) copy(net.getLayerWiseConfigurations()));
            }
          });
      String before = net.getLayerWiseConfigurations().toJson();
      net.fit(data);
      assertThat(files).hasSize(1);
      assertThat(copies.get(0).toJson()).isEqualTo(before);
      MultiLayerNetwork loaded =
          ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(files.get(0)));
      assertThat(loaded.getLayerWiseConfigurations().toJson()).isEqualTo(before);
    }
  }

  @Test
  void afterAStepAndWhenKfacIsClosed() throws IOException {
    MultiLayerNetwork net = Nets.init(Nets.cnn(Nets.settings()));
    Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS);
    net.addListeners(kfac);
    net.fit(Nets.images(1));
    MultiLayerNetwork loaded =
        ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(file(net)));
    kfac.close();
    kfac.close();
    net.fit(Nets.images(2)); // plain, though K-FAC is still among the listeners
    loaded.fit(Nets.images(2));
    assertThat(net.params()).isEqualTo(loaded.params());
  }

  @Test
  void aRunGoesOnFromFiles(@TempDir Path folder) throws IOException {
    Path state = folder.resolve("kfac.safetensors");
    MultiLayerNetwork net = Nets.init(Nets.cnn(Nets.settings()));
    MultiLayerNetwork loaded;
    try (Dl4jKfac kfac = Dl4jKfac.attach(net, Nets.OPTIONS)) {
      net.addListeners(kfac);
      net.fit(Nets.images(1));
      loaded = ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(file(net)));
      try (Dl4jKfac other = Dl4jKfac.attach(loaded, Nets.OPTIONS)) {
        loaded.addListeners(other);
        kfac.kfac().save(state);
        other.kfac().load(state);
        net.fit(Nets.images(2));
        loaded.fit(Nets.images(2));
      }
    }
    assertThat(loaded.params()).isEqualTo(net.params());
  }
}
