"""The reference policy: cached log-probs, and a reference that follows the policy (TR-DPO)."""
