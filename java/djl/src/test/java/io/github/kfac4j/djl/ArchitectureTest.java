package io.github.kfac4j.djl;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  @Test
  void theAdapterKnowsTheApiAndDjl() {
    String root = "io.github.kfac4j";
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            root,
            root + ".backend",
            root + ".layer",
            root + ".tensor",
            root + ".djl",
            "ai.djl..",
            "java..")
        .check(
            new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages(root + ".djl"));
  }
}
