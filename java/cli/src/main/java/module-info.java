/** The command line {@code kfac}: arguments, exit codes and output. */
open module io.github.kfac4j.cli {
  requires com.fasterxml.jackson.annotation;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires io.github.kfac4j.core;
  requires io.github.kfac4j.experiments;
  requires io.github.kfac4j.nqm;
  requires io.github.kfac4j.testkit;
  requires java.management;
  requires me.tongfei.progressbar;
}
