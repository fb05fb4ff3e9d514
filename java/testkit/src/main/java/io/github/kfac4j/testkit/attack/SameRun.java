package io.github.kfac4j.testkit.attack;

import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code SameRun WHOLE OTHER}: whether two folders of the command {@code train} hold the same bits,
 * but for times; exit 1 and the first difference if not.
 */
public final class SameRun {
  private SameRun() {}

  public static void main(String[] folders) throws IOException {
    String difference = difference(Path.of(folders[0]), Path.of(folders[1]));
    if (difference != null) {
      System.out.println(difference);
      System.exit(1);
    }
  }

  private static String difference(Path whole, Path other) throws IOException {
    try (Stream<Path> checkpoints = Files.list(whole.resolve("checkpoints"))) {
      for (Path file : checkpoints.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
        Map<String, StoredTensor> expected = tensors(file);
        Path of = other.resolve("checkpoints").resolve(file.getFileName());
        Map<String, StoredTensor> actual = tensors(of);
        for (String name : expected.keySet()) {
          if (!expected.get(name).equals(actual.get(name))) {
            return of + " differs in " + name;
          }
        }
        if (!expected.keySet().equals(actual.keySet())) {
          return of + " has other tensors";
        }
      }
    }
    return losses(whole).equals(losses(other)) ? null : other.resolve("metrics.csv") + " differs";
  }

  private static Map<String, StoredTensor> tensors(Path file) throws IOException {
    return TensorFile.readChecked(file).tensors().entrySet().stream()
        .filter(tensor -> !tensor.getKey().startsWith("history.")) // holds times
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private static List<String> losses(Path folder) throws IOException {
    return Files.readAllLines(folder.resolve("metrics.csv")).stream()
        .map(line -> line.replaceFirst("^(\\w+,\\d+,[^,]*),[^,]*,", "$1,")) // without seconds
        .toList();
  }
}
