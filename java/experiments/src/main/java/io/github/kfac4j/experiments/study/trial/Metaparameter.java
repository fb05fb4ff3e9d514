package io.github.kfac4j.experiments.study.trial;

import java.util.Locale;

/** What is searched. */
public enum Metaparameter {
  /** Of all optimizers. */
  LEARNING_RATE("--lr", "lr"),
  /** Of K-FAC, its relatives and SGD; searched as 1 - momentum. */
  MOMENTUM("--momentum", "momentum"),
  /** Of K-FAC and its relatives. */
  DAMPING("--damping", "damping");

  private final String option;
  private final String title;

  Metaparameter(String option, String title) {
    this.option = option;
    this.title = title;
  }

  /** The option that sets its range. */
  public String option() {
    return option;
  }

  /** The name in tables and plots. */
  public String title() {
    return title;
  }

  /** The name in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
