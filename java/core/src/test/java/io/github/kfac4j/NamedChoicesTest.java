package io.github.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** What users make has a name for each choice, so that no call holds a bare {@code true}. */
class NamedChoicesTest {
  private static final Set<String> PACKAGES =
      Set.of("", ".apply", ".data", ".fisher", ".layer", ".options", ".tensor", ".trainer");

  /** Results, which K-FAC itself makes, and methods that users implement and do not call. */
  private static final Set<String> OTHERS =
      Set.of(
          "StepReport",
          "Moment",
          "ModelLayer.describe",
          "Convention.inputWeight",
          "Convention.outputWeight",
          "Convention.shardWeight");

  private final List<JavaClass> api =
      new ClassFileImporter()
              .withImportOption(new ImportOption.DoNotIncludeTests())
              .importPackages("io.github.kfac4j")
              .stream()
              .filter(
                  type ->
                      PACKAGES.contains(
                          type.getPackageName().substring("io.github.kfac4j".length())))
              .filter(NamedChoicesTest::isPublic)
              .filter(type -> !OTHERS.contains(type.getSimpleName()))
              .toList();

  private static boolean isPublic(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass().map(NamedChoicesTest::isPublic).orElse(true);
  }

  private static boolean takesBoolean(JavaCodeUnit code) {
    return code.getModifiers().contains(JavaModifier.PUBLIC)
        && code.getRawParameterTypes().stream()
            .anyMatch(type -> type.isEquivalentTo(boolean.class));
  }

  @Test
  void methodsTakeNoBoolean() {
    Predicate<JavaMethod> other =
        method -> OTHERS.contains(method.getOwner().getSimpleName() + "." + method.getName());
    assertThat(api.stream().flatMap(type -> type.getMethods().stream()))
        .filteredOn(NamedChoicesTest::takesBoolean)
        .filteredOn(other.negate())
        .isEmpty();
  }

  /** As many methods without a boolean lead to a type as its constructor has choices. */
  @Test
  void whatAConstructorHasAsABooleanHasANameToo() {
    for (JavaClass type : api) {
      long choices =
          type.getConstructors().stream()
              .filter(NamedChoicesTest::takesBoolean)
              .mapToLong(
                  made ->
                      made.getRawParameterTypes().stream()
                          .filter(parameter -> parameter.isEquivalentTo(boolean.class))
                          .count())
              .max()
              .orElse(0);
      long named =
          api.stream()
              .flatMap(owner -> owner.getMethods().stream())
              .filter(method -> method.getModifiers().contains(JavaModifier.PUBLIC))
              .filter(method -> !takesBoolean(method))
              .filter(method -> leadsTo(method, type))
              .map(JavaMethod::getName)
              .distinct()
              .count();
      assertThat(named).as(type.getName()).isGreaterThanOrEqualTo(choices == 0 ? 0 : choices + 1);
    }
  }

  private static boolean leadsTo(JavaMethod method, JavaClass type) {
    JavaClass made = method.getRawReturnType();
    boolean ofInterface =
        method.getModifiers().contains(JavaModifier.STATIC) && type.isAssignableTo(made.getName());
    return made.equals(type) || ofInterface;
  }
}
