package io.github.kfac4j.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cpu.natives.KfacCpuLibrary;
import io.github.kfac4j.testkit.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How the backend is found, and what it says where it cannot run. */
class AvailabilityTest {
  @Test
  void isFoundByNameAndPreferredToPureJava() {
    try (Backend named = Backends.require("cpu");
        Backend best = Backends.best()) {
      assertThat(named.name()).isEqualTo("cpu");
      assertThat(best.name()).isEqualTo("cpu");
    }
  }

  @Test
  void withoutNativeCodeTheReasonIsOneLineWithTheRemedy() throws Exception {
    String output =
        ChildJvm.run(
            PrintReason.class,
            ChildJvm.without(entry -> entry.matches(".*openblas.*-x86_64.*\\.jar")));
    assertThat(output.strip().lines().toList()).hasSize(1);
    assertThat(output).contains("jniopenblas", "org.bytedeco:openblas", "linux-x86_64");
  }

  @Test
  void withoutThePresetItselfTheReasonNamesTheMissingClass() throws Exception {
    String output =
        ChildJvm.run(PrintReason.class, ChildJvm.without(entry -> entry.contains("openblas")));
    assertThat(output.strip().lines().toList()).hasSize(1);
    assertThat(output).contains("ClassNotFoundException", "org.bytedeco:openblas");
  }

  @Test
  void withoutItsOwnLibraryItSaysSoOnceAndUsesOpenBlas() throws Exception {
    assumeTrue(KfacCpuLibrary.isAvailable(), "libkfac_cpu was not built");
    assertThat(ChildJvm.run(Invert.class, entry -> entry).strip()).isEqualTo("[ok]");
    Path classes =
        Path.of(CpuBackend.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path copy = Files.createTempDirectory("kfac-cpu-classes");
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(f -> !f.toString().contains("x86_64")).toList()) {
        Files.copy(
            file,
            copy.resolve(classes.relativize(file).toString()),
            StandardCopyOption.REPLACE_EXISTING);
      }
    }
    String output =
        ChildJvm.run(
            Invert.class, entry -> Path.of(entry).equals(classes) ? copy.toString() : entry);
    assertThat(output.lines().filter(line -> line.contains("OpenBLAS alone")).toList())
        .singleElement()
        .asString()
        .contains("jnikfac_cpu", "kfac-cpu", "linux-x86_64");
    assertThat(output.strip()).endsWith("[ok]");
  }

  @Test
  void anInstructionSetThatDoesNotExistIsNamed() {
    assertThat(KfacCpuLibrary.complaint(null, "avx2")).isNull();
    assertThat(KfacCpuLibrary.complaint("", "avx2")).as("empty is as unset").isNull();
    assertThat(KfacCpuLibrary.complaint("portable", "portable")).isNull();
    assertThat(KfacCpuLibrary.complaint("\u001b[2J\n\u009b", "avx2")).contains("'?[2J??'");
    assertThat(KfacCpuLibrary.complaint("avx51", "avx2"))
        .isEqualTo(
            "KFAC_CPU_INSTRUCTIONS is 'avx51', which is none of [avx512, avx2, portable], and has"
                + " no effect: avx2 is used");
  }

  /** Opens the backend twice and inverts a matrix. */
  static final class Invert {
    public static void main(String[] args) {
      Status[] status = null;
      for (int i = 0; i < 2; i++) {
        try (Backend backend = new CpuBackendProvider().open();
            MatrixStack matrix = backend.allocate(1, 40, 40)) {
          InvertRequest request = new InvertRequest(matrix, 1, new double[] {2}, matrix);
          status = backend.invert(List.of(request)).get(0);
        }
      }
      System.out.println(Arrays.toString(status));
    }
  }

  /** Prints why the backend cannot be used. */
  static final class PrintReason {
    public static void main(String[] args) {
      System.out.println(new CpuBackendProvider().unavailableReason());
    }
  }
}
