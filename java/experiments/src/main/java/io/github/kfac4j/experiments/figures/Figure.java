package io.github.kfac4j.experiments.figures;

/** One of the paper's figures. */
interface Figure {
  /** As the command line names it: 3a. */
  String id();

  /** What the page puts above it. */
  String title();

  /** How many {@link Results} it asks for, for the progress bar. */
  int work();

  /** Computes and lays out the figure. */
  Drawing draw(Results results);
}
