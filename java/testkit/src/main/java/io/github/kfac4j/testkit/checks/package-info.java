/** What every backend must do, one class for each kind of verb; needs no test framework. */
package io.github.kfac4j.testkit.checks;
