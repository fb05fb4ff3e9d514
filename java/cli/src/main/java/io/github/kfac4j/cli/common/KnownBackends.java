package io.github.kfac4j.cli.common;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendProvider;
import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.experiments.BadInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The backends a user can name, those that this build lacks included. */
public final class KnownBackends {
  /** Stands for the fastest backend that works. */
  public static final String AUTO = "auto";

  private static final List<String> NAMES = List.of("java", "cpu", "cuda");

  private KnownBackends() {}

  /**
   * Whether a backend can be used here.
   *
   * @param reason why not; null if it can
   * @param details what it runs on; may be null
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Availability(String name, boolean available, String reason, String details) {
    /** Without details. */
    public Availability(String name, boolean available, String reason) {
      this(name, available, reason, null);
    }

    static Availability of(String name, BackendProvider provider) {
      String reason =
          provider == null
              ? "this build has no %s backend".formatted(name.toUpperCase(Locale.ROOT))
              : provider.unavailableReason();
      return new Availability(
          name, reason == null, reason, reason == null ? provider.details() : null);
    }
  }

  /** All known backends and their availability, {@code java} first. */
  public static List<Availability> all() {
    Map<String, BackendProvider> providers = new LinkedHashMap<>();
    NAMES.forEach(name -> providers.put(name, null));
    Backends.providers().forEach(provider -> providers.put(provider.name(), provider));
    return providers.entrySet().stream()
        .map(entry -> Availability.of(entry.getKey(), entry.getValue()))
        .toList();
  }

  /**
   * Opens a backend, or the fastest that works for {@link #AUTO}.
   *
   * @throws BadInputException if no backend has this name
   * @throws BackendUnavailableException if it cannot be used here, with the reason
   */
  public static Backend openOrBest(String name) {
    return name.equals(AUTO) ? Backends.best() : open(name);
  }

  /**
   * Opens a backend.
   *
   * @throws BadInputException if no backend has this name
   * @throws BackendUnavailableException if it cannot be used here, with the reason
   */
  public static Backend open(String name) {
    List<Availability> known = all();
    Availability wanted =
        known.stream()
            .filter(backend -> backend.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new BadInputException(
                        "unknown backend '%s'; known are %s"
                            .formatted(name, known.stream().map(Availability::name).toList())));
    if (!wanted.available()) {
      throw new BackendUnavailableException(name, wanted.reason());
    }
    return Backends.require(name);
  }
}
