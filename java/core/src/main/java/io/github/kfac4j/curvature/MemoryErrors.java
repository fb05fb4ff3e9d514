package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.MemoryException;
import io.github.kfac4j.backend.MemoryShortage;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Says for which layers memory is short: a backend knows its verb, not whose requests it has. */
public final class MemoryErrors {
  /** So many layers of a request are named; of more it is said how many. */
  private static final int NAMED = 8;

  private MemoryErrors() {}

  /** The error of layers that are known, for which an outer call knows more of them. */
  private static final class Named extends MemoryException {
    private static final long serialVersionUID = 1L;

    Named(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Does work for layers.
   *
   * @throws MemoryException naming them, if there is not enough memory
   */
  public static <T> T naming(Collection<String> names, Supplier<T> work) {
    try {
      return work.get();
    } catch (OutOfMemoryError e) {
      throw named(names, e);
    } catch (RuntimeException e) {
      throw e instanceof MemoryShortage && !(e instanceof Named) ? named(names, e) : e;
    }
  }

  private static MemoryException named(Collection<String> names, Throwable cause) {
    List<String> different = names.stream().distinct().toList();
    String quoted =
        different.stream().limit(NAMED).map(n -> "'" + n + "'").collect(Collectors.joining(", "));
    String more =
        different.size() > NAMED ? " and %d more".formatted(different.size() - NAMED) : "";
    String layers =
        different.size() == 1
            ? LayerState.prefix(different.get(0))
            : "layers %s%s together: ".formatted(quoted, more);
    return new Named(layers + cause.getMessage(), cause);
  }
}
