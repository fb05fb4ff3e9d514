package io.github.kfac4j.benchmarks.report;

import io.github.kfac4j.benchmarks.cases.Case;

/** Verbs as a reader knows them. */
final class Names {
  private Names() {}

  static String verb(String verb) {
    return switch (verb) {
      case Case.PATCHES -> "patches";
      case Case.CONV_FACTOR -> "conv factor";
      case Case.DENSE_FACTOR -> "dense factor";
      case Case.INVERSE -> "inverse";
      case Case.PRECONDITION, Case.PRECONDITION_NETWORK -> "preconditioning";
      case Case.STEP -> "whole update";
      case Case.TRAINING -> "training";
      default -> verb;
    };
  }

  /** What is said of a case if ours is not the backend of the other rows. */
  static String suffix(String own) {
    return switch (own) {
      case "java" -> ", pure Java";
      case "java-vector" -> ", pure Java with the Vector API";
      default -> "";
    };
  }
}
