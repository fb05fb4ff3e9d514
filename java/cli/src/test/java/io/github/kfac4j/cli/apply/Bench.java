package io.github.kfac4j.cli.apply;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/** Runs {@code apply} on real files in a directory. */
final class Bench {
  final Path config;
  final Path in;
  final Path out;
  final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

  Bench(Path directory) {
    config = directory.resolve("c.json");
    in = directory.resolve("in.safetensors");
    out = directory.resolve("out.safetensors");
  }

  void put(String name, DType dtype, double[] values, long... shape) {
    tensors.put(name, tensor(dtype, values, shape));
  }

  static StoredTensor tensor(DType dtype, double[] values, long... shape) {
    if (dtype == DType.F64) {
      return StoredTensor.of(values, shape);
    }
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return StoredTensor.of(floats, shape);
  }

  static double[] values(StoredTensor tensor) {
    if (tensor.dtype() == DType.F64) {
      double[] values = new double[tensor.asDoubleBuffer().remaining()];
      tensor.asDoubleBuffer().get(values);
      return values;
    }
    float[] floats = new float[tensor.asFloatBuffer().remaining()];
    tensor.asFloatBuffer().get(floats);
    return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
  }

  /** Writes configuration and tensors, and runs the command. */
  Cli.Outcome run(String configuration, String... more) {
    write(configuration);
    return Cli.run(arguments(more));
  }

  /** The same for a run that must succeed; returns the JSON document. */
  JsonNode json(String backend, String configuration) {
    write(configuration);
    return Cli.json(arguments("--json", "--backend", backend));
  }

  private void write(String configuration) {
    try {
      Files.writeString(config, configuration);
      new TensorFile(tensors, Map.of()).write(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String[] arguments(String... more) {
    String[] all = new String[7 + more.length];
    String[] first = {
      "apply", "--config", config.toString(), "--in", in.toString(), "--out", out.toString()
    };
    System.arraycopy(first, 0, all, 0, 7);
    System.arraycopy(more, 0, all, 7, more.length);
    return all;
  }

  /** The tensors that the last run wrote. */
  Map<String, StoredTensor> results() {
    try {
      return TensorFile.read(out).tensors();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
