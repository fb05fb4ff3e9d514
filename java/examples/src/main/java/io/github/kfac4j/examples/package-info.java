/**
 * Small programs to copy, one for each trainer and for what a training needs beside it. Each prints
 * losses that are pinned in {@code src/test/resources/expected}.
 */
package io.github.kfac4j.examples;
