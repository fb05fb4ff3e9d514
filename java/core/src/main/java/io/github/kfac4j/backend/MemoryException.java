package io.github.kfac4j.backend;

/** There is not enough memory for what was asked; the message says what it was and how much. */
public class MemoryException extends RuntimeException implements MemoryShortage {
  private static final long serialVersionUID = 1L;

  /** What was asked for, in words, and why it failed, if anything else did. */
  public MemoryException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Bytes for people, for example {@code 9.4 GiB}. */
  public static String text(double bytes) {
    String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    int unit = 0;
    double value = bytes;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0 ? "%.0f bytes".formatted(value) : "%.1f %s".formatted(value, units[unit]);
  }
}
