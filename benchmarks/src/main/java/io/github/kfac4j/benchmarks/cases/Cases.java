package io.github.kfac4j.benchmarks.cases;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** The cases and networks of {@code cases.json}. */
public final class Cases {
  private static final File FILE = read();

  private Cases() {}

  private record File(Map<String, List<LayerShape>> networks, List<Case> cases) {}

  private static File read() {
    try (InputStream in = Cases.class.getResourceAsStream("cases.json")) {
      return new ObjectMapper().readValue(in, File.class);
    } catch (IOException e) {
      throw new UncheckedIOException("cases.json", e);
    }
  }

  /** All cases. */
  public static List<Case> all() {
    return FILE.cases();
  }

  /** The cases of a set: {@code compare}, {@code more} or {@code tiny}. */
  public static List<Case> of(String set) {
    return all().stream().filter(c -> c.set().equals(set)).toList();
  }

  /**
   * The case of a verb and name.
   *
   * @throws IllegalArgumentException if there is none; the message lists the names there are
   */
  public static Case get(String verb, String name) {
    List<Case> cases = all().stream().filter(c -> c.verb().equals(verb)).toList();
    return cases.stream()
        .filter(c -> c.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no case '%s' of %s; there are %s"
                        .formatted(
                            name, verb, cases.stream().map(Case::name).distinct().toList())));
  }

  /** The layers of a network. */
  public static List<LayerShape> network(String name) {
    return FILE.networks().get(name);
  }
}
