/** Inputs for tests, and definitions as literal loops to compare with. */
package io.github.kfac4j.testkit;
