package io.github.kfac4j.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The allowed directions between modules, seen from the one place that uses all of them. */
class ModuleDirectionsTest {
  private static final String ROOT = "io.github.kfac4j";

  /** What a backend has nothing to do with. */
  private static final String[] ABOVE_THE_SPI = {
    ROOT,
    ROOT + ".apply..",
    ROOT + ".approximation..",
    ROOT + ".curvature..",
    ROOT + ".data..",
    ROOT + ".files..",
    ROOT + ".fisher..",
    ROOT + ".inversion..",
    ROOT + ".layer..",
    ROOT + ".options..",
    ROOT + ".safetensors..",
    ROOT + ".trainer.."
  };

  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages(ROOT);

  private void never(String[] from, String... to) {
    noClasses()
        .that()
        .resideInAnyPackage(from)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(to)
        .check(ALL);
  }

  private static String[] in(String... packages) {
    return packages;
  }

  @Test
  void nothingLooksBackAtTheCommandLine() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".cli..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + ".cli..")
        .check(ALL);
  }

  @Test
  void experimentsKnowNoArgumentsAndOnlyTheCommandLineKnowsThem() {
    never(in(ROOT + ".experiments.."), "picocli..");
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + ".cli..", ROOT + ".experiments..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + ".experiments..")
        .check(ALL);
  }

  @Test
  void packagesOfAModuleFormNoCircle() {
    slices().matching(ROOT + ".(distributed..)").should().beFreeOfCycles().check(ALL);
    slices().matching(ROOT + ".(experiments..)").should().beFreeOfCycles().check(ALL);
    slices().matching(ROOT + ".(testkit..)").should().beFreeOfCycles().check(ALL);
    slices().matching(ROOT + ".(cli..)").should().beFreeOfCycles().check(ALL);
  }

  @Test
  void theTestKitKnowsTheCoreAndOnlyTheCommandLineKnowsIt() {
    String kit = ROOT + ".testkit..";
    never(in(kit), ROOT + ".cpu..", ROOT + ".cuda..", ROOT + ".distributed..");
    never(in(ROOT + ".testkit", ROOT + ".testkit.checks.."), "org.junit..", "org.assertj..");
    noClasses()
        .that()
        .resideOutsideOfPackages(kit, ROOT + ".cli..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(kit)
        .check(ALL);
  }

  @Test
  void theCpuBackendKnowsTheSpiAndNoTrainer() {
    never(in(ROOT + ".cpu.."), "ai.djl..", ROOT + ".djl..");
    never(in(ROOT + ".cpu.."), ABOVE_THE_SPI);
  }

  @Test
  void theCudaBackendKnowsTheSpiAndNoTrainer() {
    never(in(ROOT + ".cuda.."), "ai.djl..", ROOT + ".djl..", ROOT + ".cpu..");
    never(in(ROOT + ".cuda.."), ABOVE_THE_SPI);
  }

  @Test
  void theCudaBackendKnowsNothingOfOtherRanks() {
    never(in(ROOT + ".cuda.."), ROOT + ".distributed..", ROOT + ".nccl..");
  }

  @Test
  void theEngineOverNcclKnowsRanksAndCudaAlone() {
    never(in(ROOT + ".nccl.."), "ai.djl..", ROOT + ".backend..", ROOT + ".cpu..", ROOT + ".djl..");
    never(in(ROOT + ".nccl.."), ABOVE_THE_SPI);
  }

  @Test
  void whatRanksShareKnowsTheCoreAlone() {
    never(
        in(ROOT + ".distributed.."),
        "ai.djl..",
        ROOT + ".djl..",
        ROOT + ".cpu..",
        ROOT + ".cuda..",
        ROOT + ".nccl..",
        ROOT + ".nqm..");
  }

  @Test
  void onlyTheCudaBackendAndNcclKnowCuda() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + ".cuda..", ROOT + ".nccl..")
        .and()
        .doNotHaveFullyQualifiedName(ROOT + ".pytorch.Gpu") // a trainer's stream is one of CUDA
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.bytedeco.cuda..")
        .check(ALL);
  }

  @Test
  void adaptersKnowTheCoreAndTheirTrainerOnly() {
    never(in(ROOT + ".djl.."), "org.bytedeco..", ROOT + ".cpu..", ROOT + ".nqm..");
    never(in(ROOT + ".pytorch.."), "ai.djl..", ROOT + ".djl..", ROOT + ".cpu..", ROOT + ".nqm..");
    never(in(ROOT + ".dl4j.."), "org.bytedeco..", ROOT + ".cpu..", ROOT + ".nqm..");
    never(in(ROOT + ".dl4j.."), "ai.djl..", ROOT + ".djl..", ROOT + ".pytorch..");
    noClasses()
        .that()
        .resideInAnyPackage(ROOT + ".djl..", ROOT + ".pytorch..")
        .and()
        .doNotHaveFullyQualifiedName(ROOT + ".djl.Gpu")
        .and()
        .doNotHaveFullyQualifiedName(ROOT + ".pytorch.Gpu")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + ".cuda..")
        .check(ALL);
  }

  @Test
  void theNoisyQuadraticModelStandsAlone() {
    never(in(ROOT + ".nqm.."), ROOT, ROOT + ".layer..", ROOT + ".cpu..", ROOT + ".djl..");
  }
}
