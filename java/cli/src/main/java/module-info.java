/** The command line {@code kfac}: training, data sets, plots and reports. */
open module io.github.kfac4j.cli {
  requires ai.djl.api;
  requires com.fasterxml.jackson.annotation;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires io.github.kfac4j.core;
  requires io.github.kfac4j.distributed;
  requires io.github.kfac4j.djl;
  requires io.github.kfac4j.nqm;
  requires java.desktop;
  requires org.knowm.xchart;
  requires me.tongfei.progressbar;
}
