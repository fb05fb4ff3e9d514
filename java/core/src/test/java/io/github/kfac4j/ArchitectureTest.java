package io.github.kfac4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.github.kfac4j.curvature.Curvature;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * The allowed directions inside the core: trainer to API to approximations to their state to SPI,
 * never back.
 */
class ArchitectureTest {
  private static final String ROOT = "io.github.kfac4j";

  /** A module of the JDK that may be absent. */
  private static final String VECTOR_API = "jdk.incubator.vector";

  private final JavaClasses core =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  private void onlyUses(String layer, String... allowed) {
    String[] packages = Arrays.copyOf(allowed, allowed.length + 2);
    packages[allowed.length] = layer;
    packages[allowed.length + 1] = "java..";
    classes()
        .that()
        .resideInAPackage(layer)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(packages)
        .check(core);
  }

  @Test
  void tensorsAndFilesUseNothing() {
    onlyUses(ROOT + ".tensor");
    onlyUses(ROOT + ".files");
    onlyUses(ROOT + ".safetensors", ROOT + ".files");
  }

  @Test
  void theSpiKnowsOnlySamplesAndTensors() {
    onlyUses(ROOT + ".samples", ROOT + ".tensor");
    onlyUses(ROOT + ".backend", ROOT + ".samples", ROOT + ".tensor");
  }

  @Test
  void layersKnowTheSpiOnly() {
    onlyUses(ROOT + ".layer", ROOT + ".backend", ROOT + ".samples", ROOT + ".tensor");
  }

  @Test
  void theReferenceImplementsTheSpiAndKnowsNoMore() {
    onlyUses(
        ROOT + ".reference", ROOT + ".backend", ROOT + ".samples", ROOT + ".tensor", VECTOR_API);
  }

  @Test
  void whatIsHandedOverKnowsLayersOnly() {
    onlyUses(ROOT + ".fisher", ROOT + ".tensor");
    onlyUses(
        ROOT + ".data", ROOT + ".layer", ROOT + ".backend", ROOT + ".samples", ROOT + ".tensor");
    onlyUses(ROOT + ".options", ROOT + ".fisher", ROOT + ".layer");
  }

  @Test
  void inversionKnowsNoLayer() {
    onlyUses(
        ROOT + ".inversion",
        ROOT + ".options",
        ROOT + ".reference",
        ROOT + ".backend",
        ROOT + ".tensor");
  }

  @Test
  void stateKnowsNoApproximation() {
    onlyUses(
        ROOT + ".curvature",
        ROOT + ".backend",
        ROOT + ".data",
        ROOT + ".fisher",
        ROOT + ".inversion",
        ROOT + ".layer",
        ROOT + ".options",
        ROOT + ".reference",
        ROOT + ".safetensors",
        ROOT + ".tensor");
  }

  @Test
  void onlyTheCoreUsesCurvatureAndNothingBelowATrainerKnowsIt() {
    classes()
        .that()
        .resideInAPackage(ROOT + ".curvature")
        .should()
        .onlyHaveDependentClassesThat()
        .resideInAnyPackage(ROOT, ROOT + ".approximation", ROOT + ".curvature")
        .check(core);
    classes()
        .that()
        .resideInAPackage(ROOT + ".approximation")
        .should()
        .onlyHaveDependentClassesThat()
        .resideInAnyPackage(ROOT, ROOT + ".approximation")
        .check(core);
    for (String adapter : new String[] {ROOT + ".trainer", ROOT + ".apply"}) {
      classes()
          .that()
          .resideInAPackage(adapter)
          .should()
          .onlyHaveDependentClassesThat()
          .resideInAPackage(adapter)
          .check(core);
    }
  }

  @Test
  void aCurvatureIsKnownByNameInTheListOfThemAlone() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".approximation")
        .should()
        .dependOnClassesThat(
            new DescribedPredicate<>("implementations of Curvature") {
              @Override
              public boolean test(JavaClass type) {
                return !type.isInterface() && type.isAssignableTo(Curvature.class);
              }
            })
        .check(core);
  }

  @Test
  void packagesFormNoCircle() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(core);
  }

  @Test
  void theCoreHasNoDependencies() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(ROOT + ".reference.VectorTileProduct")
        .should()
        .dependOnClassesThat()
        .resideOutsideOfPackages(ROOT + "..", "java..")
        .check(core);
  }
}
