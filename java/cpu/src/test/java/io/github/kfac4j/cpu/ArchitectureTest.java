package io.github.kfac4j.cpu;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The allowed directions inside the backend: verbs to matrices to libraries to memory. */
class ArchitectureTest {
  private static final String ROOT = "io.github.kfac4j.cpu";

  private final JavaClasses backend =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  /** Beside what every package uses: the SPI, samples, tensors, JavaCPP's pointers. */
  private void onlyUses(String layer, String... allowed) {
    List<String> packages =
        new ArrayList<>(
            List.of(
                ROOT + "." + layer,
                "java..",
                "io.github.kfac4j.backend",
                "io.github.kfac4j.samples",
                "io.github.kfac4j.tensor",
                "org.bytedeco.javacpp.."));
    for (String name : allowed) {
      packages.add(name.contains(".") ? name : ROOT + "." + name);
    }
    classes()
        .that()
        .resideInAPackage(ROOT + "." + layer)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(packages.toArray(String[]::new))
        .check(backend);
  }

  @Test
  void memoryIsTheGround() {
    onlyUses("memory");
  }

  @Test
  void schedulingKnowsNoArithmetic() {
    onlyUses("scheduling", "memory");
  }

  @Test
  void librariesKnowNoVerb() {
    onlyUses("natives", "scheduling", "memory");
    onlyUses("openblas", "natives", "memory", "org.bytedeco.openblas..");
  }

  @Test
  void samplesAreMatrices() {
    onlyUses("matrix", "openblas", "scheduling", "memory");
    onlyUses("samples", "matrix", "openblas", "scheduling", "memory");
  }

  @Test
  void verbsDoNotKnowEachOther() {
    String[] below = {"samples", "matrix", "openblas", "natives", "scheduling", "memory"};
    onlyUses("accumulation", below);
    onlyUses("preconditioning", below);
    onlyUses("inversion", below);
    onlyUses("elementwise", below);
  }

  @Test
  void packagesFormNoCircle() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(backend);
  }

  @Test
  void onePackageCallsOpenBlas() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".openblas")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.bytedeco.openblas..")
        .check(backend);
  }
}
