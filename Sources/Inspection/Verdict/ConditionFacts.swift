// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel

/// The facts that kernels are judged by.
package struct ConditionFacts: Codable, Hashable, Sendable {
  /// What there is for each kernel.
  package var conditions: [KernelCondition]
  /// What matters.
  package var configuration: SuiteConfiguration
  /// What is wrong with `/etc/alpm-dkms.conf`.
  package var problems: [ConfigurationProblem] = []
  /// Whether any module is registered.
  package var hasModules = true

  /// The verdict on each kernel.
  package var verdicts: [KernelVerdict] { conditions.map { KernelVerdict($0, by: configuration) } }
}
