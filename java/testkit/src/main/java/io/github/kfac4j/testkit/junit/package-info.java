/**
 * Contracts that the tests of a backend extend; they need JUnit and AssertJ, which only tests have.
 */
package io.github.kfac4j.testkit.junit;
