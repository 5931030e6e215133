"""What leaves a case: reports and exports, guarded, hashed and recorded."""
