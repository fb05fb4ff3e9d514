package io.github.kfac4j.pytorch;

import java.text.MessageFormat;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What is logged for a class, as long as it is open. */
final class LogLines extends Handler implements AutoCloseable {
  private final Logger logger;
  private final List<String> lines;
  private boolean open = true;

  LogLines(Class<?> source, List<String> lines) {
    this.logger = Logger.getLogger(source.getName());
    this.lines = lines;
    logger.addHandler(this);
  }

  boolean isOpen() {
    return open;
  }

  @Override
  public void publish(LogRecord line) {
    lines.add(MessageFormat.format(line.getMessage(), line.getParameters()));
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    open = false;
    logger.removeHandler(this);
  }
}
