package io.github.kfac4j.cli.common;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.PrintWriter;
import picocli.CommandLine.Option;

/** The option {@code --json}, the same for every subcommand. */
public final class JsonOption {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  @Option(
      names = "--json",
      description = "Print the result as one JSON document on stdout; all else goes to stderr.")
  private boolean enabled;

  /** Whether the result is wanted as JSON. */
  public boolean enabled() {
    return enabled;
  }

  /** Prints {@code document}, a tree of maps, lists, records, strings and numbers. */
  public static void print(Object document, PrintWriter out) {
    try {
      out.println(MAPPER.writeValueAsString(document));
      out.flush();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot be written as JSON: " + document, e);
    }
  }
}
