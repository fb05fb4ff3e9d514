/** Data sets, networks, training runs, metaparameter search, studies, reports and plots. */
open module io.github.kfac4j.experiments {
  requires com.fasterxml.jackson.annotation;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires io.github.kfac4j.nqm;
  requires java.desktop;
  requires me.tongfei.progressbar;
  requires hipparchus.core;
  requires org.knowm.xchart;
  requires us.hebi.matlab.mat.mfl.core;
  requires transitive ai.djl.api;
  requires transitive io.github.kfac4j.core;
  requires transitive io.github.kfac4j.distributed;
  requires transitive io.github.kfac4j.djl;

  exports io.github.kfac4j.experiments;
  exports io.github.kfac4j.experiments.comparison;
  exports io.github.kfac4j.experiments.curvature;
  exports io.github.kfac4j.experiments.data;
  exports io.github.kfac4j.experiments.figures;
  exports io.github.kfac4j.experiments.options;
  exports io.github.kfac4j.experiments.report;
  exports io.github.kfac4j.experiments.study.batchsize;
  exports io.github.kfac4j.experiments.study.report;
  exports io.github.kfac4j.experiments.study.scaling;
  exports io.github.kfac4j.experiments.study.search;
  exports io.github.kfac4j.experiments.study.sensitivity;
  exports io.github.kfac4j.experiments.study.spectrum;
  exports io.github.kfac4j.experiments.study.trial;
  exports io.github.kfac4j.experiments.train;
}
