package io.github.kfac4j.cuda;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The allowed directions inside the backend: verbs to matrices to calls to the device. */
class ArchitectureTest {
  private static final String ROOT = "io.github.kfac4j.cuda";

  /** What callers hand over and get; all else of the root package is above the others. */
  private static final Set<Class<?>> EXCHANGED =
      Set.of(
          DeviceTensor.class,
          DeviceTensor.Type.class,
          EnqueuedStep.class,
          CudaException.class,
          CudaOutOfMemoryException.class);

  private final JavaClasses backend =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  private static DescribedPredicate<JavaClass> exchanged() {
    return DescribedPredicate.describe(
        "are exchanged with callers",
        type -> EXCHANGED.stream().anyMatch(type.getBaseComponentType()::isEquivalentTo));
  }

  private static DescribedPredicate<JavaClass> in(List<String> packages) {
    return JavaClass.Predicates.resideInAnyPackage(packages.toArray(String[]::new));
  }

  /** Beside what every package uses: the SPI, samples, tensors, JavaCPP's pointers. */
  private void onlyUses(String layer, String... allowed) {
    List<String> packages =
        new ArrayList<>(
            List.of(
                ROOT + "." + layer,
                ROOT + ".natives",
                "java..",
                "io.github.kfac4j.backend",
                "io.github.kfac4j.samples",
                "io.github.kfac4j.tensor",
                "org.bytedeco.cuda..",
                "org.bytedeco.javacpp.."));
    for (String name : allowed) {
      packages.add(ROOT + "." + name);
    }
    classes()
        .that()
        .resideInAPackage(ROOT + "." + layer)
        .should()
        .onlyDependOnClassesThat(in(packages).or(exchanged()))
        .check(backend);
  }

  @Test
  void theDeviceIsTheGround() {
    onlyUses("context");
  }

  @Test
  void callsKnowNoMatrix() {
    onlyUses("calls", "context");
    onlyUses("matrix", "calls", "context");
  }

  @Test
  void verbsDoNotKnowEachOther() {
    String[] below = {"matrix", "calls", "context"};
    onlyUses("accumulation", below);
    onlyUses("inversion", below);
    onlyUses("eigen", below);
    onlyUses("preconditioning", below);
    onlyUses("elementwise", "calls", "context");
  }

  @Test
  void whatCallersExchangeKnowsNothingOfTheBackend() {
    noClasses()
        .that(exchanged())
        .should()
        .dependOnClassesThat(in(List.of(ROOT + "..")).and(DescribedPredicate.not(exchanged())))
        .check(backend);
  }

  @Test
  void packagesFormNoCircle() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(backend);
  }

  @Test
  void aVerbOfTheKernelsIsNamedInOnePlace() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + "..")
        .and()
        .resideOutsideOfPackages(ROOT + ".natives", ROOT + ".presets")
        .and()
        .doNotHaveFullyQualifiedName(ROOT + ".calls.Verb")
        .should()
        .callMethodWhere(
            DescribedPredicate.describe(
                "it asks for a workspace",
                call -> call.getTarget().getName().endsWith("_workspace")))
        .check(backend);
  }
}
